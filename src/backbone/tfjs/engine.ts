/**
 * Runs plans on TensorFlow.js WASM SIMD: the reference engine, the same code in workerd, Node and browsers. It owns
 * the backbone's weights on the backend and leaves no other tensor behind.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engine.ts';
import type { Backbone } from '../load.ts';
import type { Padding, Step } from '../plan.ts';
import { registerWasmBackend, useWasmBackend } from './backend.ts';
import { convolve } from './convolution.ts';
import { inputTensor } from './input.ts';
import type { PreparedStep } from './prepare.ts';
import { disposeStep, prepareStep } from './prepare.ts';

export interface TfjsEngine extends Engine {
  /**
   * Every step's output, to compare engines layer by layer.
   * @param pixels as for `codes`; at most `MAX_PICTURES_AT_ONCE` pictures.
   * @returns by step name: pictures × height × width × channels numbers.
   */
  stepOutputs(pixels: Uint8Array): Map<string, Float32Array>;
  /** Gives the weights' memory back. The engine is of no use afterwards. */
  dispose(): void;
}

/** Bounds the feature maps in memory (about 3 MB a picture at 224×224); larger batches gain no speed. */
export const MAX_PICTURES_AT_ONCE = 4;

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

class WasmEngine implements TfjsEngine {
  readonly name = 'tfjs-wasm';
  readonly codeLength: number;
  readonly #backbone: Backbone;
  readonly #steps: readonly PreparedStep[];
  readonly #lastReader: ReadonlyMap<string, number>;

  constructor(backbone: Backbone) {
    this.codeLength = backbone.codeLength;
    this.#backbone = backbone;
    this.#steps = backbone.plan.steps.map((step) => prepareStep(step, backbone));
    this.#lastReader = lastReaders(backbone.plan.steps);
  }

  codes(pixels: Uint8Array): Float32Array {
    const pictures = this.#countPictures(pixels);
    const codes = new Float32Array(pictures * this.codeLength);
    for (let first = 0; first < pictures; first += MAX_PICTURES_AT_ONCE) {
      const count = Math.min(MAX_PICTURES_AT_ONCE, pictures - first);
      this.#codesOfSome(pixels, first, count, codes);
    }
    return codes;
  }

  stepOutputs(pixels: Uint8Array): Map<string, Float32Array> {
    const pictures = this.#countPictures(pixels);
    if (pictures > MAX_PICTURES_AT_ONCE) {
      throw new RangeError(`At most ${MAX_PICTURES_AT_ONCE} pictures at once, not ${pictures}.`);
    }
    const outputs = new Map<string, Float32Array>();
    this.#run(pixels, pictures, (name, map) => outputs.set(name, map.dataSync<'float32'>()));
    return outputs;
  }

  dispose(): void {
    useWasmBackend();
    for (const step of this.#steps) disposeStep(step);
  }

  #countPictures(pixels: Uint8Array): number {
    const { height, width, channels } = this.#backbone.plan.input;
    const pictures = pixels.length / (height * width * channels);
    if (!Number.isInteger(pictures)) {
      throw new RangeError(
        `${pixels.length} bytes are no whole number of ${height}×${width}×${channels} pictures.`,
      );
    }
    return pictures;
  }

  #codesOfSome(pixels: Uint8Array, first: number, count: number, codes: Float32Array): void {
    const { height, width, channels } = this.#backbone.plan.input;
    const pictureBytes = height * width * channels;
    const some = pixels.subarray(first * pictureBytes, (first + count) * pictureBytes);
    const means = new Map<string, Float32Array>();
    const tapped = new Set(this.#backbone.plan.taps.map((tap) => tap.step));
    this.#run(some, count, (name, map) => {
      if (tapped.has(name)) means.set(name, tf.mean(map, [1, 2]).dataSync<'float32'>());
    });
    let offset = 0;
    for (const tap of this.#backbone.plan.taps) {
      const mean = means.get(tap.step)!;
      for (let i = 0; i < count; i++) {
        const part = mean.subarray(i * tap.channels, (i + 1) * tap.channels);
        codes.set(part, (first + i) * this.codeLength + offset);
      }
      offset += tap.channels;
    }
  }

  /** Runs all steps, shows each output to `visit` and drops every map as soon as its last reader is done. */
  #run(pixels: Uint8Array, count: number, visit: (name: string, map: tf.Tensor4D) => void): void {
    if (count === 0) return;
    useWasmBackend();
    tf.tidy(() => {
      const maps = new Map<string, tf.Tensor4D>();
      for (const [index, prepared] of this.#steps.entries()) {
        const { step } = prepared;
        const output = tf.tidy(() => {
          const map = this.#runStep(prepared, maps, pixels, count);
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
    pixels: Uint8Array,
    count: number,
  ): tf.Tensor4D {
    const { input } = this.#backbone.plan;
    const read = (name: string): tf.Tensor4D =>
      name === 'input' ? inputTensor(pixels, count, input, NO_PADDING) : maps.get(name)!;
    switch (prepared.kind) {
      case 'convolution': {
        const { convolution, step } = prepared;
        if (step.input !== 'input') return convolve(read(step.input), convolution);
        // TensorFlow.js pads with zeros only; the picture's border holds other values.
        return convolve(inputTensor(pixels, count, input, convolution.padding), convolution, NO_PADDING);
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

/** For each name, the index of the last step that reads it. */
function lastReaders(steps: readonly Step[]): Map<string, number> {
  const readers = new Map<string, number>();
  for (const [index, step] of steps.entries()) {
    readers.set(step.input, index);
    if (step.op === 'add') readers.set(step.other, index);
  }
  return readers;
}
