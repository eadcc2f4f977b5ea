/** Writes what this project holds in the formats of other tools. */
export { headToOnnx, type OnnxInput, planToOnnx } from './onnx.ts';
export { OnnxGraph } from './onnx-graph.ts';
export { headToTfjsGraph, planToTfjsGraph } from './tfjs-graph.ts';
export type { TfjsModel } from './tfjs-graph-def.ts';
export { headToTflite, planToTflite, type TfliteInput } from './tflite.ts';
export { CODES, PIXELS, PROBABILITIES } from './walk.ts';
