/** Writes what this project holds in the formats of other tools. */
export { CODES, type OnnxInput, type OnnxOptions, planToOnnx } from './onnx.ts';
export { OnnxGraph } from './onnx-graph.ts';
export { headToOnnx, PROBABILITIES } from './onnx-head.ts';
export { headToTfjsGraph, PIXELS, planToTfjsGraph } from './tfjs-graph.ts';
export type { TfjsModel } from './tfjs-graph-def.ts';
export { headToTflite, planToTflite, type TfliteInput } from './tflite.ts';
