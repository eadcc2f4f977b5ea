/**
 * Writes the steps of a program: for each kernel its words, in the order of its class in src/wasm/engine, with the
 * tables and packed weights that it reads.
 */
import * as codes from '../../wasm/engine/codes.ts';
import type { Activation, Padding, Plan } from '../plan.ts';
import { ACTIVATIONS } from '../plan.ts';
import type { FeatureMap } from './map.ts';
import { blocksOf, FLOAT_BYTES, vectorBytes } from './map.ts';
import { blockedRows, packDepthwise, packMatrix, packMatrix16, pictureRows } from './pack.ts';
import type { Place, Program, Region, StepWords } from './program.ts';

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

/** What there is to know of a map. */
export interface Statistics {
  /** The mean over space, a map of one pixel. */
  readonly means: FeatureMap;
  /** A vector of the largest magnitudes. */
  readonly peaks: Region | undefined;
}

/** The stem widens eight bytes at a time and may run over a row's end by seven. */
const SLACK_BYTES = 32;
const VECTOR_BYTES = 16;

export class Kernels {
  /** Where the picture's bytes go. */
  readonly pixels: Region;
  readonly #program: Program;
  readonly #picture: Plan['input'];
  /** Tables of integers by name. */
  readonly #tables = new Map<string, Region>();

  constructor(program: Program, picture: Plan['input']) {
    this.#program = program;
    this.#picture = picture;
    this.pixels = program.scratch(picture.height * picture.width * picture.channels + SLACK_BYTES);
    program.keep(this.pixels, 'start');
  }

  /** @param residual a map padded like the output that is added to it. */
  conv(input: FeatureMap, kernel: Kernel, output: FeatureMap, residual?: FeatureMap): void {
    this.#program.step(...this.#conv(input, kernel, output, residual));
  }

  depthwise(input: FeatureMap, kernel: Kernel, output: FeatureMap): void {
    this.#program.step(...this.#depthwise(input, kernel, output));
  }

  /**
   * A convolution and the depthwise one that reads it.
   * @param between a map that shares one plane among its blocks.
   * @param about what to find out of the output on the way.
   */
  blockwise(
    [input, conv]: [FeatureMap, Kernel],
    [between, depthwise]: [FeatureMap, Kernel],
    output: FeatureMap,
    about?: Statistics,
  ): void {
    const first = this.#program.nested(...this.#conv(input, conv, between));
    const second = this.#program.nested(...this.#depthwise(between, depthwise, output));
    const third = about === undefined ? 0 : this.#program.nested(...this.#statistics(output, about));
    this.#program.step(codes.BLOCKWISE, [first, second, third]);
  }

  #conv(input: FeatureMap, kernel: Kernel, output: FeatureMap, residual?: FeatureMap): StepWords {
    const { height, width, stride, padding } = kernel;
    const [row, step] = [stride * input.rowBytes, stride * input.pixelBytes];
    const start = input.offset(-padding[0], -padding[2]);
    const [pixels, count] = this.#pixels({ start, row, step }, output, output.shape.height);
    const runs = [...Array(input.blocks * height * width).keys()].map((i) => {
      const [block, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
      return block * input.blockBytes + y * input.rowBytes + x * input.pixelBytes;
    });
    const rows = blockedRows(height, width, kernel.inputs);
    const [weights, weightUnits] = this.#matrix(kernel, rows, input.bits);
    const table = this.#table(runs.join(' '), runs.length, (integers) => integers.set(runs));
    return [
      input.bits === 16 ? codes.CONV16 : codes.CONV,
      [this.#activation(kernel), input.region, table, runs.length, 0],
      [pixels, count, weights, this.#bias(kernel), output.region, output.blockBytes, output.blocks],
      [residual?.region ?? 0, weightUnits, input.bits === 16 ? input.unit : 0],
    ];
  }

  /** A convolution that reads the picture's bytes. */
  stem(kernel: Kernel, output: FeatureMap): void {
    const { height, width, channels } = this.#picture;
    const [top, , left, right] = kernel.padding;
    const pixelBytes = channels * FLOAT_BYTES;
    const rowBytes =
      Math.ceil(((left + width + right) * pixelBytes + SLACK_BYTES) / VECTOR_BYTES) * VECTOR_BYTES;
    const [pixels, count] = this.#pixels({ start: 0, row: 0, step: kernel.stride * pixelBytes }, output, 1);
    // The kernel fills in where in the ring its rows lie.
    const ring = this.#padRows(rowBytes, kernel.height);
    const rowWords = kernel.width * channels;
    const [runCount, wordCount] = [kernel.height * (rowWords >> 3), kernel.height * (rowWords & 7)];
    const runs = this.#program.constant((runCount + wordCount) * 4);
    const [weights] = this.#matrix(kernel, pictureRows(kernel.height, rowWords), 32);
    const conv = this.#program.nested(
      codes.CONV,
      [this.#activation(kernel), ring, runs, runCount, wordCount],
      [pixels, count, weights, this.#bias(kernel), output.region, output.blockBytes, output.blocks],
      [0, 0, 0],
    );
    this.#program.step(
      codes.STEM,
      [conv, this.pixels, width * channels, height, ring, rowBytes, this.#padRows(rowBytes, 1)],
      [kernel.height, rowWords * FLOAT_BYTES, kernel.stride, top, left * pixelBytes],
      [output.shape.height, output.rowBytes],
    );
  }

  /**
   * Turns a map into one of 16 bits.
   * @param peaks a vector of the largest magnitudes, signs apart.
   * @param factors a vector to multiply the map by, none of them negative.
   */
  quantise(input: FeatureMap, output: FeatureMap, peaks: Region, factors?: Region): void {
    const words = [input.region, input.planeBytes, input.blocks, factors ?? 0, peaks];
    this.#program.step(codes.QUANTISE, words, [output.region, output.unit]);
  }

  #depthwise(input: FeatureMap, kernel: Kernel, output: FeatureMap): StepWords {
    const taps = kernel.height * kernel.width;
    const weights = this.#program.constant(output.blocks * codes.BLOCK * taps * FLOAT_BYTES, (floats) => {
      packDepthwise(floats, kernel.weights, kernel.outputs);
    });
    return [
      codes.DEPTHWISE,
      [this.#activation(kernel), input.place(-kernel.padding[0], -kernel.padding[2]), input.rowBytes],
      [input.blockBytes, kernel.stride, kernel.height, kernel.width, weights, this.#bias(kernel)],
      [output.place(), output.rowBytes, output.blockBytes],
      [output.shape.height, output.shape.width, output.blocks, kernel.padding[0], input.shape.height],
    ];
  }

  statistics(input: FeatureMap, about: Statistics): void {
    this.#program.step(...this.#statistics(input, about));
  }

  #statistics(input: FeatureMap, { means, peaks }: Statistics): StepWords {
    const { height, width } = input.shape;
    const words = [input.place(), input.rowBytes, input.blockBytes, height, width, input.blocks];
    return [codes.STATISTICS, words, [means.region, peaks ?? 0]];
  }

  /** A fully connected layer between vectors, maps of one pixel. */
  dense(input: FeatureMap, kernel: Kernel, output: FeatureMap): void {
    const rows = blockedRows(1, 1, kernel.inputs);
    const [weights, weightUnits] = this.#matrix(kernel, rows, input.bits);
    this.#program.step(
      input.bits === 16 ? codes.DENSE16 : codes.DENSE,
      [this.#activation(kernel), input.region, (rows.length * input.bits) / 32],
      [weights, this.#bias(kernel), output.region, output.blocks],
      [weightUnits, input.bits === 16 ? input.unit : 0],
    );
  }

  /** output = input × factors, or input + other, or input. @param factors a vector. @param other not with factors. */
  elementwise(input: FeatureMap, output: FeatureMap, factors?: Region, other?: FeatureMap): void {
    const { rowBytes, blockBytes, blocks } = output;
    const { height, width } = output.shape;
    this.#program.step(
      codes.ELEMENTWISE,
      [input.place(), input.rowBytes, input.blockBytes, factors ?? 0],
      [other?.place() ?? 0, other?.rowBytes ?? 0, other?.blockBytes ?? 0],
      [output.place(), rowBytes, blockBytes, height, width * codes.PIXEL_BYTES, blocks],
    );
  }

  /** Clears the padding of a map. */
  border(map: FeatureMap): void {
    const [top, bottom, left, right] = map.padding;
    this.#program.step(
      codes.BORDER,
      [map.region, map.rowBytes, map.planeBytes, map.planes, map.shape.height],
      [top * map.rowBytes, bottom * map.rowBytes, left * codes.PIXEL_BYTES, right * codes.PIXEL_BYTES],
    );
  }

  #activation(kernel: Kernel): number {
    return ACTIVATIONS.indexOf(kernel.activation);
  }

  /** Packed weights, and with 16 bits what their units are worth. */
  #matrix(kernel: Kernel, rows: Int32Array, bits: 16 | 32): [weights: Region, units: Place | 0] {
    const outputs = blocksOf(kernel.outputs) * codes.BLOCK;
    const bytes = (outputs * rows.length * bits) / 8;
    if (bits === 32) {
      const fill = (floats: Float32Array): void => packMatrix(floats, kernel.weights, rows, kernel.outputs);
      return [this.#program.constant(bytes, fill), 0];
    }
    const region = this.#program.constant(bytes + outputs * FLOAT_BYTES, (floats) => {
      const packed = new Int16Array(floats.buffer, floats.byteOffset, bytes / 2);
      floats.set(packMatrix16(packed, kernel.weights, rows, kernel.outputs, codes.PEAK), bytes / FLOAT_BYTES);
    });
    return [region, { region, offset: bytes }];
  }

  #bias(kernel: Kernel): Region {
    return this.#program.constant(vectorBytes(kernel.outputs), (floats) => floats.set(kernel.bias));
  }

  /**
   * The table of a convolution's pixels, of at least one tile: short ones repeat their last pixel.
   * @param from the first pixel's first input, and bytes from row to row and from pixel to pixel.
   * @returns also how many there are.
   */
  #pixels(
    { start, row, step }: { start: number; row: number; step: number },
    output: FeatureMap,
    height: number,
  ): [table: Region, count: number] {
    const { width } = output.shape;
    const count = Math.max(height * width, codes.CONV_TILE);
    const place = [start, row, step, height, width, output.offset(0, 0), output.rowBytes];
    const table = this.#table(`pixels ${place.join(' ')}`, count * 2, (integers) => {
      for (let i = 0; i < count; i++) {
        const pixel = Math.min(i, height * width - 1);
        const [y, x] = [Math.floor(pixel / width), pixel % width];
        integers[i * 2] = start + y * row + x * step;
        integers[i * 2 + 1] = output.offset(y, x);
      }
    });
    return [table, count];
  }

  /** A table of integers; steps that name the same one share it. */
  #table(name: string, length: number, fill: (integers: Int32Array) => void): Region {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = this.#program.constant(length * 4, (_, integers) => fill(integers));
    this.#tables.set(name, table);
    return table;
  }

  /** Rows as they look outside of the picture. */
  #padRows(rowBytes: number, count: number): Region {
    const { padValue, channels } = this.#picture;
    const rowFloats = rowBytes / FLOAT_BYTES;
    return this.#program.constant(rowBytes * count, (floats) => {
      for (let i = 0; i < rowFloats * count; i++) floats[i] = padValue[(i % rowFloats) % channels];
    });
  }
}
