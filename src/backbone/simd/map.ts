/**
 * How a feature map lies in memory: in blocks of eight channels, each a plane of rows of pixels, [channels / 8][rows]
 * [columns][8] floats; of 8-bit codes sixteen make a block, [channels / 16][rows][columns][16]. Channels beyond the last real one are filled up. A map that a padded convolution reads carries
 * that padding with it, so that no kernel has to look after borders.
 */
import { BLOCK, BYTE_BLOCK } from './sizes.ts';
import type { Padding } from '../plan.ts';
import type { MapShape } from '../shapes.ts';
import type { Place, Program, Region } from './program.ts';

export const NO_PADDING: Padding = [0, 0, 0, 0];
export const FLOAT_BYTES = 4;

export interface Layout {
  readonly shape: MapShape;
  readonly padding: Padding;
  /** Of a number: floats of 32 (the default), integers of 16 with room for their unit, a float, behind them, or bytes. */
  readonly bits?: 8 | 16 | 32;
  /** Only one block exists at a time: all of them lie in the same plane. */
  readonly onePlane?: boolean;
}

export class FeatureMap {
  readonly shape: MapShape;
  readonly padding: Padding;
  readonly bits: 8 | 16 | 32;
  /** How many planes there are in memory. */
  readonly planes: number;
  readonly region: Region;

  constructor({ shape, padding, bits = 32, onePlane = false }: Layout, program: Program) {
    this.shape = shape;
    this.padding = padding;
    this.bits = bits;
    this.planes = onePlane ? 1 : this.blocks;
    this.region = program.scratch(this.planes * this.planeBytes + (bits === 16 ? FLOAT_BYTES : 0));
  }

  /** Channels of a block. */
  get block(): number {
    return this.bits === 8 ? BYTE_BLOCK : BLOCK;
  }

  get blocks(): number {
    return Math.ceil(this.shape.channels / this.block);
  }

  /** Bytes of a pixel in a block. */
  get pixelBytes(): number {
    return (this.block * this.bits) / 8;
  }

  get rowBytes(): number {
    return (this.padding[2] + this.shape.width + this.padding[3]) * this.pixelBytes;
  }

  get planeBytes(): number {
    return (this.padding[0] + this.shape.height + this.padding[1]) * this.rowBytes;
  }

  /** Bytes from one block of channels to the next. */
  get blockBytes(): number {
    return this.planes === this.blocks ? this.planeBytes : 0;
  }

  /** Bytes from the map's start to the pixel in row y and column x of its first block; both may lie in the padding. */
  offset(y: number, x: number): number {
    return (this.padding[0] + y) * this.rowBytes + (this.padding[2] + x) * this.pixelBytes;
  }

  get unit(): Place {
    return { region: this.region, offset: this.planes * this.planeBytes };
  }

  place(y = 0, x = 0): Place {
    return { region: this.region, offset: this.offset(y, x) };
  }
}

export function blocksOf(channels: number): number {
  return Math.ceil(channels / BLOCK);
}

/** Bytes of a vector with one float a channel. */
export function vectorBytes(channels: number): number {
  return blocksOf(channels) * BLOCK * FLOAT_BYTES;
}
