/**
 * How a feature map lies in memory: in blocks of eight channels, each a plane of rows of pixels, [channels / 8][rows]
 * [columns][8] floats. Channels beyond the last real one are filled up. A map that a padded convolution reads carries
 * that padding with it, so that no kernel has to look after borders.
 */
import { BLOCK, PIXEL_BYTES } from '../../wasm/engine/codes.ts';
import type { Padding } from '../plan.ts';
import type { MapShape } from '../shapes.ts';
import type { Place, Region } from './program.ts';

export const NO_PADDING: Padding = [0, 0, 0, 0];

export class FeatureMap {
  readonly shape: MapShape;
  readonly padding: Padding;
  readonly region: Region;

  constructor(shape: MapShape, padding: Padding, allocate: (bytes: number) => Region) {
    this.shape = shape;
    this.padding = padding;
    this.region = allocate(this.blocks * this.planeBytes);
  }

  /** Blocks of eight channels. */
  get blocks(): number {
    return blocksOf(this.shape.channels);
  }

  get rowBytes(): number {
    return (this.padding[2] + this.shape.width + this.padding[3]) * PIXEL_BYTES;
  }

  get planeBytes(): number {
    return (this.padding[0] + this.shape.height + this.padding[1]) * this.rowBytes;
  }

  /** Bytes from the map's start to the pixel in row y and column x of its first block; both may lie in the padding. */
  offset(y: number, x: number): number {
    return (this.padding[0] + y) * this.rowBytes + (this.padding[2] + x) * PIXEL_BYTES;
  }

  place(y = 0, x = 0): Place {
    return { region: this.region, offset: this.offset(y, x) };
  }

  /** @returns the map without its padding, height × width × channels, from the engine's memory. */
  unpack(memory: Float32Array): Float32Array {
    const { height, width, channels } = this.shape;
    const values = new Float32Array(height * width * channels);
    for (let i = 0; i < values.length; i++) {
      const channel = i % channels;
      const pixel = Math.floor(i / channels);
      const block = this.region.address + Math.floor(channel / BLOCK) * this.planeBytes;
      const at = block + this.offset(Math.floor(pixel / width), pixel % width);
      values[i] = memory[at / 4 + (channel % BLOCK)];
    }
    return values;
  }

  get isPadded(): boolean {
    return this.padding.some((side) => side > 0);
  }
}

export function blocksOf(channels: number): number {
  return Math.ceil(channels / BLOCK);
}

/** Bytes of a vector with one float a channel. */
export function vectorBytes(channels: number): number {
  return blocksOf(channels) * BLOCK * Float32Array.BYTES_PER_ELEMENT;
}
