/** Writes a head with its backbone as one ONNX model: pixels in, CNN codes and probabilities out. */
import type { Backbone } from '../backbone/index.ts';
import type { Head } from '../head/index.ts';
import { networkOf, scaledHead } from './network.ts';
import { OnnxGraph } from './onnx-graph.ts';
import { addBackbone, CODES, type OnnxOptions } from './onnx.ts';

/** The model's second output: float32 [n, C], each row summing to 1. */
export const PROBABILITIES = 'probabilities';

/**
 * @returns an ONNX model (operator set 17) with the outputs `codes` [n, D] and `probabilities` [n, C]. Its metadata name
 * the labels as a JSON list under `labels`. The head's out-of-distribution statistics are not part of it.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToOnnx(head: Head, backbone: Backbone, options: OnnxOptions = {}): Uint8Array {
  const network = networkOf(head, backbone);
  const graph = new OnnxGraph();
  const codes = addBackbone(graph, network, options.input ?? 'pixels');
  const { labels, codeLength, mean } = head;
  const { inverse, weights, bias } = scaledHead(head);
  const centred = graph.node('Sub', 'head/centred', [
    codes,
    graph.constant('head/mean', [1, codeLength], mean),
  ]);
  const scale = graph.constant('head/inverse_deviation', [1, codeLength], inverse);
  const standardised = graph.node('Mul', 'head/standardised', [centred, scale]);
  const logits = graph.node(
    'Gemm',
    'head/logits',
    [
      standardised,
      graph.constant('head/weights', [labels.length, codeLength], weights),
      graph.constant('head/bias', [labels.length], bias),
    ],
    { transB: 1 },
  );
  graph.node('Softmax', PROBABILITIES, [logits], { axis: 1 });
  graph.output(CODES, 'float32', ['n', codeLength]);
  graph.output(PROBABILITIES, 'float32', ['n', labels.length]);
  return graph.encode(`${network.plan.name} with a head`, {
    backbone: `${head.backbone.name} ${head.backbone.version}`,
    weights_sha256: head.backbone.weightsSha256,
    labels: JSON.stringify(labels),
  });
}
