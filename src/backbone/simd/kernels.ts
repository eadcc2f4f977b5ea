/**
 * Writes the steps of a program: for each kernel its words, in the order of its class in src/wasm/engine, with the
 * tables and packed weights that it reads.
 */
import * as codes from '../../wasm/engine/codes.ts';
import type { Activation, Padding, Plan } from '../plan.ts';
import type { FeatureMap } from './map.ts';
import { blocksOf, vectorBytes } from './map.ts';
import { blockedRows, packDepthwise, packMatrix } from './pack.ts';
import type { Place, Program, Region } from './program.ts';

/** A convolution's weights, [height, width, inputs, outputs] or depthwise [height, width, outputs], and how it moves. */
export interface Kernel {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
}

const ACTIVATION_CODES: Readonly<Record<Activation, number>> = {
  none: codes.NONE,
  relu: codes.RELU,
  relu6: codes.RELU6,
  'hard-swish': codes.HARD_SWISH,
  'hard-sigmoid': codes.HARD_SIGMOID,
};

const FLOAT_BYTES = 4;
/** The stem widens eight bytes at a time and may run over a row's end by seven. */
const WIDEN_SLACK = 8;

export class Kernels {
  /** Where the picture's bytes go. */
  readonly pixels: Region;
  readonly #program: Program;
  readonly #picture: Plan['input'];
  /** Tables of integers by their contents; steps of the same shape share them. */
  readonly #tables = new Map<string, Region>();

  constructor(program: Program, picture: Plan['input']) {
    this.#program = program;
    this.#picture = picture;
    this.pixels = program.scratch(picture.height * picture.width * picture.channels + WIDEN_SLACK);
    program.keep(this.pixels, 'start');
  }

  /** @param residual a map padded like the output that is added to it. */
  conv(input: FeatureMap, kernel: Kernel, output: FeatureMap, residual?: FeatureMap): void {
    const { height, width, stride, padding } = kernel;
    const pixels: number[] = [];
    for (let y = 0; y < output.shape.height; y++) {
      for (let x = 0; x < output.shape.width; x++) {
        pixels.push(input.offset(y * stride - padding[0], x * stride - padding[2]), output.offset(y, x));
      }
    }
    // Neighbouring pixels of a block are neighbours in memory, so that a run takes a whole row of the kernel.
    const runs: number[] = [];
    for (let block = 0; block < input.blocks; block++) {
      for (let y = 0; y < height; y++) runs.push(block * input.planeBytes + y * input.rowBytes);
    }
    const adjacent = pixels.every((at, i) => i % 2 === 1 || at === pixels[0] + (i / 2) * codes.PIXEL_BYTES);
    const enough = pixels.length >= codes.CONV_TILE * 2;
    this.#program.step(
      codes.CONV,
      [this.#activation(kernel), input.region, this.#table(runs), runs.length, width * codes.BLOCK],
      this.#pixels(pixels),
      this.#matrix(kernel, blockedRows(height, width, kernel.inputs)),
      [output.region, output.planeBytes, output.blocks, residual?.region ?? 0, Number(adjacent && enough)],
    );
  }

  /** A convolution that reads the picture's bytes. */
  stem(kernel: Kernel, output: FeatureMap): void {
    const { height, width, channels } = this.#picture;
    const [top, , left, right] = kernel.padding;
    const rowFloats = (left + width + right) * channels + WIDEN_SLACK;
    const padRow = this.#padRows(rowFloats, 1);
    const ring = this.#padRows(rowFloats, kernel.height);
    const pixels: number[] = [];
    for (let x = 0; x < output.shape.width; x++) {
      pixels.push(x * kernel.stride * channels * FLOAT_BYTES, output.offset(0, x));
    }
    const rows = Int32Array.from({ length: kernel.height * kernel.width * channels }, (_, row) => row);
    // The kernel fills in where in the ring its rows lie.
    const runs = this.#program.constant(kernel.height * 4, () => {});
    const row = this.#program.nested(
      codes.CONV,
      [this.#activation(kernel), ring, runs, kernel.height, kernel.width * channels],
      this.#pixels(pixels),
      this.#matrix(kernel, rows),
      [output.region, output.planeBytes, output.blocks, 0, 0],
    );
    this.#program.step(
      codes.STEM,
      [row, this.pixels, width * channels, height, ring, rowFloats * FLOAT_BYTES, padRow],
      [
        kernel.height,
        kernel.stride,
        top,
        left * channels * FLOAT_BYTES,
        output.shape.height,
        output.rowBytes,
      ],
    );
  }

  depthwise(input: FeatureMap, kernel: Kernel, output: FeatureMap): void {
    const taps = kernel.height * kernel.width;
    const weights = this.#program.constant(output.blocks * codes.BLOCK * taps * FLOAT_BYTES, (floats) => {
      packDepthwise(floats, kernel.weights, kernel.outputs);
    });
    this.#program.step(
      codes.DEPTHWISE,
      [this.#activation(kernel), input.place(-kernel.padding[0], -kernel.padding[2]), input.rowBytes],
      [input.planeBytes, kernel.stride, kernel.height, kernel.width, weights, this.#bias(kernel)],
      [output.place(), output.rowBytes, output.planeBytes],
      [output.shape.height, output.shape.width, output.blocks],
    );
  }

  mean(input: FeatureMap, output: Place, outputPlane: number = codes.PIXEL_BYTES): void {
    const { height, width } = input.shape;
    this.#program.step(
      codes.MEAN,
      [input.place(), input.rowBytes, input.planeBytes, height, width, input.blocks],
      [output, outputPlane],
    );
  }

  /** A fully connected layer between vectors. */
  dense(input: Region, kernel: Kernel): Region {
    const rows = blockedRows(1, 1, kernel.inputs);
    const output = this.#program.scratch(vectorBytes(kernel.outputs));
    this.#program.step(
      codes.DENSE,
      [this.#activation(kernel), input, rows.length],
      this.#matrix(kernel, rows),
      [output, blocksOf(kernel.outputs)],
    );
    return output;
  }

  /** @param factors a vector. */
  scale(input: FeatureMap, factors: Region, output: FeatureMap): void {
    const words = [input.place(), input.rowBytes, input.planeBytes, factors];
    this.#program.step(codes.SCALE, words, this.#walk(output));
  }

  add(a: FeatureMap, b: FeatureMap, output: FeatureMap): void {
    const words = [a.place(), a.rowBytes, a.planeBytes, b.place(), b.rowBytes, b.planeBytes];
    this.#program.step(codes.ADD, words, this.#walk(output));
  }

  /** Clears the padding of a map. */
  border(map: FeatureMap): void {
    const [top, bottom, left, right] = map.padding;
    this.#program.step(
      codes.BORDER,
      [map.region, map.rowBytes, map.planeBytes, map.blocks, map.shape.height],
      [top * map.rowBytes, bottom * map.rowBytes, left * codes.PIXEL_BYTES, right * codes.PIXEL_BYTES],
    );
  }

  #walk(output: FeatureMap): (Place | number)[] {
    const { height, width } = output.shape;
    const { rowBytes, planeBytes, blocks } = output;
    return [output.place(), rowBytes, planeBytes, height, width * codes.PIXEL_BYTES, blocks];
  }

  #activation(kernel: Kernel): number {
    return ACTIVATION_CODES[kernel.activation];
  }

  #matrix(kernel: Kernel, rows: Int32Array): [weights: Region, bias: Region] {
    const floats = blocksOf(kernel.outputs) * codes.BLOCK * rows.length;
    const weights = this.#program.constant(floats * FLOAT_BYTES, (floats) => {
      packMatrix(floats, kernel.weights, rows, kernel.outputs);
    });
    return [weights, this.#bias(kernel)];
  }

  #bias(kernel: Kernel): Region {
    return this.#program.constant(vectorBytes(kernel.outputs), (floats) => floats.set(kernel.bias));
  }

  /** The table of a convolution's pixels, of at least one tile: short ones repeat their last pixel. */
  #pixels(pairs: number[]): [table: Region, count: number] {
    while (pairs.length < codes.CONV_TILE * 2) pairs.push(...pairs.slice(-2));
    return [this.#table(pairs), pairs.length / 2];
  }

  #table(values: readonly number[]): Region {
    const key = values.join();
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const table = this.#program.constant(values.length * 4, (_, integers) => integers.set(values));
    this.#tables.set(key, table);
    return table;
  }

  /** Rows of floats as they look outside of the picture. */
  #padRows(rowFloats: number, count: number): Region {
    const { padValue, channels } = this.#picture;
    return this.#program.constant(rowFloats * count * FLOAT_BYTES, (floats) => {
      for (let i = 0; i < rowFloats * count; i++) floats[i] = padValue[(i % rowFloats) % channels];
    });
  }
}
