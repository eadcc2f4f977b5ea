/**
 * The activations of plans in one table: their definition, and what each engine, exporter and importer calls them. The types ask
 * for a row for each name; the formulas beside their engines are exhaustive switches, and simd/kernels/shared/activation.as.ts, in another
 * language, is compared with `value` by the tests of every kernel.
 */
import { HARD_SIGMOID, HARD_SWISH, NONE, RELU, RELU6 } from './simd/sizes.ts';

export const ACTIVATIONS = ['none', 'relu', 'relu6', 'hard-swish', 'hard-sigmoid'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

interface Row {
  /** In the words of steps. */
  readonly kernel: number;
  /** The definition, in double precision. */
  readonly value: (x: number) => number;
  /** Of those that only clip: integers can do it, and TensorFlow's runtimes do it within a convolution. */
  readonly clip: Clip | undefined;
  /** The operator, with the scalars that follow its input and its attributes. */
  readonly onnx: Onnx | undefined;
}

interface Clip {
  readonly low: number;
  readonly high: number;
  /** What the fused kernels of TensorFlow.js call it. */
  readonly tfjs: string;
  /** The operation of TensorFlow graphs. */
  readonly graph: string | undefined;
  /** TFLite's ActivationFunctionType. */
  readonly tflite: number;
}

interface Onnx {
  readonly operator: string;
  readonly scalars: readonly number[];
  readonly attributes: Readonly<Record<string, { readonly float: number }>>;
}

const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Of the hard activations see Howard et al. 2019, section 5.2. */
export const ACTIVATION_TABLE = {
  none: {
    kernel: NONE,
    value: (x) => x,
    clip: { low: -Infinity, high: Infinity, tfjs: 'linear', graph: undefined, tflite: 0 },
    onnx: undefined,
  },
  relu: {
    kernel: RELU,
    value: (x) => Math.max(x, 0),
    clip: { low: 0, high: Infinity, tfjs: 'relu', graph: 'Relu', tflite: 1 },
    onnx: { operator: 'Relu', scalars: [], attributes: {} },
  },
  relu6: {
    kernel: RELU6,
    value: (x) => clip(x, 0, 6),
    clip: { low: 0, high: 6, tfjs: 'relu6', graph: 'Relu6', tflite: 3 },
    onnx: { operator: 'Clip', scalars: [0, 6], attributes: {} },
  },
  'hard-swish': {
    kernel: HARD_SWISH,
    value: (x) => (x * clip(x + 3, 0, 6)) / 6,
    clip: undefined,
    onnx: { operator: 'HardSwish', scalars: [], attributes: {} },
  },
  'hard-sigmoid': {
    kernel: HARD_SIGMOID,
    value: (x) => clip(x + 3, 0, 6) / 6,
    clip: undefined,
    // ONNX's default slope is 0.2.
    onnx: {
      operator: 'HardSigmoid',
      scalars: [],
      attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } },
    },
  },
} as const satisfies Readonly<Record<Activation, Row>>;

/** @returns what the fused kernels of TensorFlow.js do of it: all where it only clips, else nothing. */
export function fusedByTfjs(activation: Activation): 'linear' | 'relu' | 'relu6' {
  return ACTIVATION_TABLE[activation].clip?.tfjs ?? 'linear';
}
