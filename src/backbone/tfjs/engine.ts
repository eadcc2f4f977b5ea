/**
 * Runs plans on TensorFlow.js WASM SIMD: the reference engine, the same code in workerd, Node and browsers. It owns
 * the backbone's weights on the backend and leaves no other tensor behind.
 */
import * as tf from '@tensorflow/tfjs-core';
import { backboneAt, type Size } from '../at-size.ts';
import { WHOLE } from '../cut.ts';
import type { TailedEngine, TailEngine } from '../engine.ts';
import type { Backbone } from '../load.ts';
import type { Padding, Statistic, Step, Tap } from '../plan.ts';
import type { Tail } from '../tail.ts';
import type { MapShape } from '../shapes.ts';
import { tailOf } from '../tail.ts';
import { registerWasmBackend, useWasmBackend } from './backend.ts';
import { convolve } from './convolution.ts';
import { inputTensor } from './input.ts';
import type { PreparedStep } from './prepare.ts';
import { disposeStep, prepareStep } from './prepare.ts';

export interface TfjsEngine extends TailedEngine {
  /**
   * Every step's output, to compare engines layer by layer.
   * @param pixels as for `codes`, of the plan's own size; at most `MAX_PICTURES_AT_ONCE` pictures.
   * @returns by step name: pictures × height × width × channels numbers.
   */
  stepOutputs(pixels: Uint8Array): Map<string, Float32Array>;
  /** Gives the weights' memory back. The engine is of no use afterwards. */
  dispose(): void;
}

/** Bounds the feature maps in memory (about 3 MB a picture at 224×224); larger batches gain no speed. */
export const MAX_PICTURES_AT_ONCE = 4;

/** The backend computes in single precision. */
const BYTES_PER_WEIGHT = 4;

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

/** What the first steps read: pictures, or the maps of a cut. */
interface Input {
  /** The backbone at the size that is run. */
  readonly backbone: Backbone;
  readonly name: string;
  readonly values: Uint8Array | Float32Array;
}

class WasmEngine implements TfjsEngine {
  readonly name = 'tfjs-wasm';
  readonly codeLength: number;
  readonly #backbone: Backbone;
  /** The weights, which every size shares. */
  readonly #steps: readonly PreparedStep[];
  readonly #lastReader: ReadonlyMap<string, number>;

  constructor(backbone: Backbone) {
    this.codeLength = backbone.codeLength;
    this.#backbone = backbone;
    this.#steps = backbone.plan.steps.map((step) => prepareStep(step, backbone));
    this.#lastReader = lastReaders(backbone.plan.steps);
  }

  codes(pixels: Uint8Array, size?: Size): Float32Array {
    return this.codesFrom({ backbone: backboneAt(this.#backbone, size), name: WHOLE, values: pixels });
  }

  codesAndMaps(
    pixels: Uint8Array,
    steps: readonly string[],
    size?: Size,
  ): { codes: Float32Array; maps: Map<string, Float32Array> } {
    const backbone = backboneAt(this.#backbone, size);
    const input = { backbone, name: WHOLE, values: pixels };
    const count = countOf(input);
    const maps = new Map<string, Float32Array>();
    for (const step of steps) {
      const shape = backbone.shapes.get(step);
      if (shape === undefined || step === WHOLE) throw new RangeError(`The plan has no step '${step}'.`);
      maps.set(step, new Float32Array(count * shape.height * shape.width * shape.channels));
    }
    return { codes: this.codesFrom(input, maps), maps };
  }

  createTail(tail: Tail, size?: Size): TailEngine {
    useWasmBackend();
    const backbone = tailOf(backboneAt(this.#backbone, size), tail);
    const engine = new WasmEngine(backbone);
    return {
      codeLength: engine.codeLength,
      bytes: tail.tensors.values().reduce((sum, { length }) => sum + length * BYTES_PER_WEIGHT, 0),
      codes: (values) => engine.codesFrom({ backbone, name: tail.from, values }),
      dispose: () => engine.dispose(),
    };
  }

  stepOutputs(pixels: Uint8Array): Map<string, Float32Array> {
    const input = { backbone: this.#backbone, name: WHOLE, values: pixels };
    const pictures = countOf(input);
    if (pictures > MAX_PICTURES_AT_ONCE) {
      throw new RangeError(`At most ${MAX_PICTURES_AT_ONCE} pictures at once, not ${pictures}.`);
    }
    const outputs = new Map<string, Float32Array>();
    this.#run(input, pictures, (name, map) => outputs.set(name, map.dataSync<'float32'>()));
    return outputs;
  }

  dispose(): void {
    useWasmBackend();
    for (const step of this.#steps) disposeStep(step);
  }

  /** @param maps filled with the steps' maps that it has room for. */
  codesFrom(input: Input, maps: ReadonlyMap<string, Float32Array> = new Map()): Float32Array {
    const total = countOf(input);
    const codes = new Float32Array(total * this.codeLength);
    const each = input.values.length / total;
    for (let first = 0; first < total; first += MAX_PICTURES_AT_ONCE) {
      const count = Math.min(MAX_PICTURES_AT_ONCE, total - first);
      const some = { ...input, values: input.values.subarray(first * each, (first + count) * each) };
      this.#codesOfSome(some, first, count, codes, maps);
    }
    return codes;
  }

  #codesOfSome(
    input: Input,
    first: number,
    count: number,
    codes: Float32Array,
    maps: ReadonlyMap<string, Float32Array>,
  ): void {
    const { taps } = this.#backbone.plan;
    const statistics = new Map<Tap, Float32Array>();
    this.#run(input, count, (name, map) => {
      for (const tap of taps) if (tap.step === name) statistics.set(tap, statisticOf(map, tap.statistic));
      maps.get(name)?.set(map.dataSync<'float32'>(), first * (map.size / count));
    });
    let offset = 0;
    for (const tap of taps) {
      const values = statistics.get(tap)!;
      for (let i = 0; i < count; i++) {
        const part = values.subarray(i * tap.channels, (i + 1) * tap.channels);
        codes.set(part, (first + i) * this.codeLength + offset);
      }
      offset += tap.channels;
    }
  }

  /** Runs all steps, shows each output to `visit` and drops every map as soon as its last reader is done. */
  #run(input: Input, count: number, visit: (name: string, map: tf.Tensor4D) => void): void {
    if (count === 0) return;
    useWasmBackend();
    tf.tidy(() => {
      const maps = new Map<string, tf.Tensor4D>();
      if (input.name !== WHOLE) {
        const { height, width, channels } = shapeOf(input);
        maps.set(input.name, tf.tensor4d(input.values, [count, height, width, channels]));
      }
      for (const [index, prepared] of this.#steps.entries()) {
        const { step } = prepared;
        const output = tf.tidy(() => {
          const map = this.#runStep(prepared, maps, input, count);
          visit(step.name, map);
          return map;
        });
        maps.set(step.name, output);
        for (const [name, map] of maps) {
          if ((this.#lastReader.get(name) ?? -1) > index) continue;
          map.dispose();
          maps.delete(name);
        }
      }
    });
  }

  #runStep(
    prepared: PreparedStep,
    maps: ReadonlyMap<string, tf.Tensor4D>,
    input: Input,
    count: number,
  ): tf.Tensor4D {
    const picture = (padding: Padding): tf.Tensor4D =>
      inputTensor(input.values, count, input.backbone.plan.input, padding);
    const read = (name: string): tf.Tensor4D => (name === WHOLE ? picture(NO_PADDING) : maps.get(name)!);
    switch (prepared.kind) {
      case 'convolution': {
        const { convolution, step } = prepared;
        if (step.input !== WHOLE) return convolve(read(step.input), convolution);
        // TensorFlow.js pads with zeros only; the picture's border holds other values.
        return convolve(picture(convolution.padding), convolution, NO_PADDING);
      }
      case 'squeeze-excite': {
        const x = read(prepared.step.input);
        const squeezed = convolve(tf.mean(x, [1, 2], true), prepared.reduce);
        return tf.mul(x, convolve(squeezed, prepared.expand));
      }
      case 'add':
        return tf.add(read(prepared.step.input), read(prepared.step.other));
      case 'mean':
        return tf.mean(read(prepared.step.input), [1, 2], true);
    }
  }
}

function shapeOf({ backbone, name }: Input): MapShape {
  return backbone.shapes.get(name)!;
}

/** @throws RangeError when the values are no whole number of pictures or maps. */
function countOf(input: Input): number {
  const { height, width, channels } = shapeOf(input);
  const { length } = input.values;
  const count = length / (height * width * channels);
  if (Number.isInteger(count)) return count;
  throw new RangeError(
    `${length} numbers are no whole number of ${height}×${width}×${channels} maps or pictures.`,
  );
}

/** Each channel's mean or standard deviation over space: pictures × channels numbers. */
function statisticOf(map: tf.Tensor4D, statistic: Statistic = 'mean'): Float32Array {
  if (statistic === 'mean') return tf.mean(map, [1, 2]).dataSync<'float32'>();
  // A mean is rounded: what is left of the differences' own mean is taken off again.
  const differences = tf.sub(map, tf.mean(map, [1, 2], true));
  const variance = tf.sub(tf.mean(tf.square(differences), [1, 2]), tf.square(tf.mean(differences, [1, 2])));
  return tf.sqrt(tf.relu(variance)).dataSync<'float32'>();
}

/** For each name, the index of the last step that reads it. */
function lastReaders(steps: readonly Step[]): Map<string, number> {
  const readers = new Map<string, number>();
  for (const [index, step] of steps.entries()) {
    readers.set(step.input, index);
    if (step.op === 'add') readers.set(step.other, index);
  }
  return readers;
}
