/** Writes what this project holds in the formats of other tools. */
export { addBackbone, CODES, type OnnxInput, type OnnxOptions, planToOnnx } from './onnx.ts';
export { OnnxGraph } from './onnx-graph.ts';
