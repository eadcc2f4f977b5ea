/**
 * Runs plans on TensorFlow.js WASM SIMD: the reference engine, the same code in workerd, Node and browsers. It owns
 * the backbone's weights on the backend and leaves no other tensor behind.
 */
import * as tf from '@tensorflow/tfjs-core';
import { backboneAt, type Size } from '../at-size.ts';
import { WHOLE } from '../cut.ts';
import type { MapEngine } from '../engine.ts';
import type { Backbone } from '../load.ts';
import type { Padding, Statistic, Step } from '../plan.ts';
import { readsOf } from '../readers.ts';
import { registerWasmBackend, useWasmBackend } from './backend.ts';
import { type Convolution, convolve, prepareConvolutions } from './convolution.ts';
import { inputTensor } from './input.ts';

export interface TfjsEngine extends MapEngine {
  /** Gives the weights' memory back. The engine is of no use afterwards. */
  dispose(): void;
}

/** Bounds the feature maps in memory (about 3 MB a picture at 224×224); larger batches gain no speed. */
const MAX_PICTURES_AT_ONCE = 4;

const NO_PADDING: Padding = [0, 0, 0, 0];

/**
 * @param tfjsWasm `@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm`, compiled by the host.
 */
export async function createTfjsEngine(
  backbone: Backbone,
  tfjsWasm: WebAssembly.Module,
): Promise<TfjsEngine> {
  await registerWasmBackend(tfjsWasm);
  useWasmBackend();
  return new WasmEngine(backbone);
}

interface PreparedStep {
  readonly step: Step;
  readonly convolutions: readonly Convolution[];
}

/** The pictures with some of the plan's padding around them. */
type Picture = (padding: Padding) => tf.Tensor4D;

class WasmEngine implements TfjsEngine {
  readonly name = 'tfjs-wasm';
  readonly codeLength: number;
  readonly #backbone: Backbone;
  /** The weights, which every size shares. */
  readonly #steps: readonly PreparedStep[];
  readonly #lastReader: ReadonlyMap<string, number>;

  constructor(backbone: Backbone) {
    const { steps } = backbone.plan;
    this.codeLength = backbone.codeLength;
    this.#backbone = backbone;
    this.#steps = steps.map((step) => ({ step, convolutions: prepareConvolutions(step, backbone) }));
    // Later readers overwrite earlier ones.
    this.#lastReader = new Map(
      steps.flatMap((step, index) => readsOf(step).map((name) => [name, index] as const)),
    );
  }

  codes(pixels: Uint8Array, size?: Size): Float32Array {
    return this.codesAndMaps(pixels, [], size).codes;
  }

  codesAndMaps(
    pixels: Uint8Array,
    steps: readonly string[],
    size?: Size,
  ): { codes: Float32Array; maps: Map<string, Float32Array> } {
    const { plan, shapes } = backboneAt(this.#backbone, size);
    const { height, width, channels } = plan.input;
    const each = height * width * channels;
    const total = pixels.length / each;
    if (!Number.isInteger(total)) {
      throw new RangeError(
        `${pixels.length} bytes are no whole number of ${height}×${width}×${channels} pictures.`,
      );
    }
    const codes = new Float32Array(total * this.codeLength);
    const maps = new Map<string, Float32Array>();
    for (const step of steps) {
      const shape = shapes.get(step);
      if (shape === undefined || step === WHOLE) throw new RangeError(`The plan has no step '${step}'.`);
      maps.set(step, new Float32Array(total * shape.height * shape.width * shape.channels));
    }
    for (let first = 0; first < total; first += MAX_PICTURES_AT_ONCE) {
      const count = Math.min(MAX_PICTURES_AT_ONCE, total - first);
      const some = pixels.subarray(first * each, (first + count) * each);
      const picture: Picture = (padding) => inputTensor(some, count, plan.input, padding);
      this.#run(picture, (name, map) => {
        maps.get(name)?.set(map.dataSync<'float32'>(), first * (map.size / count));
        this.#readTaps(name, map, codes.subarray(first * this.codeLength));
      });
    }
    return { codes, maps };
  }

  dispose(): void {
    useWasmBackend();
    for (const { convolutions } of this.#steps) {
      for (const { filter, bias } of convolutions) tf.dispose([filter, bias]);
    }
  }

  /** Writes what taps read of a step's output into the codes of its pictures. */
  #readTaps(step: string, map: tf.Tensor4D, codes: Float32Array): void {
    let offset = 0;
    for (const tap of this.#backbone.plan.taps) {
      const { channels } = tap;
      const values = tap.step === step ? statisticOf(map, tap.statistic) : new Float32Array();
      for (let i = 0; i * channels < values.length; i++) {
        codes.set(values.subarray(i * channels, (i + 1) * channels), i * this.codeLength + offset);
      }
      offset += channels;
    }
  }

  /** Runs all steps, shows each output to `visit` and drops every map as soon as its last reader is done. */
  #run(picture: Picture, visit: (name: string, map: tf.Tensor4D) => void): void {
    useWasmBackend();
    tf.tidy(() => {
      const maps = new Map<string, tf.Tensor4D>();
      for (const [index, prepared] of this.#steps.entries()) {
        const { name } = prepared.step;
        const output = tf.tidy(() => {
          const map = runStep(prepared, maps, picture);
          visit(name, map);
          return map;
        });
        maps.set(name, output);
        for (const [each, map] of maps) {
          if ((this.#lastReader.get(each) ?? -1) > index) continue;
          map.dispose();
          maps.delete(each);
        }
      }
    });
  }
}

function runStep(
  { step, convolutions: [first, second] }: PreparedStep,
  maps: ReadonlyMap<string, tf.Tensor4D>,
  picture: Picture,
): tf.Tensor4D {
  const read = (name: string): tf.Tensor4D => (name === WHOLE ? picture(NO_PADDING) : maps.get(name)!);
  switch (step.op) {
    case 'conv':
    case 'depthwise':
    case 'dense':
      if (step.input !== WHOLE) return convolve(read(step.input), first);
      // TensorFlow.js pads with zeros only; the picture's border holds other values.
      return convolve(picture(first.padding), first, NO_PADDING);
    case 'squeeze-excite': {
      const x = read(step.input);
      return tf.mul(x, convolve(convolve(tf.mean(x, [1, 2], true), first), second));
    }
    case 'add':
      return tf.add(read(step.input), read(step.other));
    case 'mean':
      return tf.mean(read(step.input), [1, 2], true);
  }
}

/** Each channel's mean or standard deviation over space: pictures × channels numbers. */
function statisticOf(map: tf.Tensor4D, statistic: Statistic = 'mean'): Float32Array {
  if (statistic === 'mean') return tf.mean(map, [1, 2]).dataSync<'float32'>();
  // A mean is rounded: what is left of the differences' own mean is taken off again.
  const differences = tf.sub(map, tf.mean(map, [1, 2], true));
  const variance = tf.sub(tf.mean(tf.square(differences), [1, 2]), tf.square(tf.mean(differences, [1, 2])));
  return tf.sqrt(tf.relu(variance)).dataSync<'float32'>();
}
