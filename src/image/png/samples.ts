/** Samples of a PNG's rows as the resizer takes them: RGB or RGBA of 8 bits (W3C PNG third edition, 11.3). */
import type { PngHeader } from './header.ts';
import { CHANNELS, COLOUR_GREY, COLOUR_PALETTE, COLOUR_RGB } from './shape.ts';
import type { PixelLayout } from '../pixels/raster.ts';

/** Turns a row of so many pixels into the layout's; what it returns is valid until it is called again. */
export type Expand = (row: Uint8Array, pixels: number) => Uint8Array;

/** Every sample of a row in 8 bits; valid until it is called again. */
type ToBytes = (row: Uint8Array, samples: number) => Uint8Array;

/** Samples of 8 bits without a transparent colour stay as they are, or lose what they have beyond 8; grey ones are repeated. */
export function createExpander(header: PngHeader): { readonly layout: PixelLayout; readonly expand: Expand } {
  if (header.colour === COLOUR_PALETTE) return { layout: 'rgba', expand: paletteExpander(header) };
  const key = transparentKey(header);
  if (key !== undefined) return { layout: 'rgba', expand: keyExpander(header, key) };
  const channels = CHANNELS[header.colour];
  const toBytes = bytesExpander(header, channels);
  const spread = channels < 3 ? greySpreader(header.width, channels) : undefined;
  return {
    layout: channels % 2 === 0 ? 'rgba' : 'rgb',
    expand: (row, pixels) => {
      const samples = toBytes(row, channels * pixels);
      return spread === undefined ? samples : spread(samples, pixels);
    },
  };
}

function bytesExpander({ width, depth }: PngHeader, channels: number): ToBytes {
  if (depth === 8) return (row) => row;
  const out = new Uint8Array(channels * width);
  if (depth === 16)
    return (row, samples) => {
      for (let i = 0; i < samples; i++) out[i] = row[2 * i];
      return out.subarray(0, samples);
    };
  const scale = 255 / (2 ** depth - 1);
  return (row, samples) => {
    for (let i = 0; i < samples; i++) out[i] = sample(row, i, depth) * scale;
    return out.subarray(0, samples);
  };
}

/** Grey to RGB, grey and alpha to RGBA. */
function greySpreader(width: number, channels: number): Expand {
  const out = new Uint8Array((channels + 2) * width);
  if (channels === 1)
    return (row, pixels) => {
      for (let x = 0, to = 0; x < pixels; x++, to += 3) out[to] = out[to + 1] = out[to + 2] = row[x];
      return out.subarray(0, 3 * pixels);
    };
  return (row, pixels) => {
    for (let x = 0, to = 0; x < pixels; x++, to += 4) {
      out[to] = out[to + 1] = out[to + 2] = row[2 * x];
      out[to + 3] = row[2 * x + 1];
    }
    return out.subarray(0, 4 * pixels);
  };
}

/** Grey or RGB with one colour that is transparent: it is compared in the samples' own bits. */
function keyExpander({ width, depth, colour }: PngHeader, key: readonly number[]): Expand {
  const out = new Uint8Array(4 * width);
  const channels = CHANNELS[colour];
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  const scale = depth === 16 ? 1 : 255 / (2 ** depth - 1);
  const down = depth === 16 ? 8 : 0;
  return (row, pixels) => {
    for (let x = 0, to = 0; x < pixels; x++, to += 4) {
      const at = x * channels;
      const r = sample(row, at, depth);
      const g = sample(row, at + green, depth);
      const b = sample(row, at + blue, depth);
      out[to] = (r >> down) * scale;
      out[to + 1] = (g >> down) * scale;
      out[to + 2] = (b >> down) * scale;
      out[to + 3] = r === key[0] && g === key[1] && b === key[2] ? 0 : 255;
    }
    return out.subarray(0, 4 * pixels);
  };
}

/** The index-th sample of a row: 8 bits first, since most pictures have them. */
function sample(row: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return row[index];
  if (depth === 16) return (row[2 * index] << 8) | row[2 * index + 1];
  const bit = index * depth;
  return (row[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** tRNS of a picture without alpha names one colour that is wholly transparent: 16 bits a sample, the low ones used. */
function transparentKey({ colour, depth, transparency }: PngHeader): readonly number[] | undefined {
  const samples = colour === COLOUR_GREY ? 1 : 3;
  if (transparency.length !== 2 * samples || (colour !== COLOUR_GREY && colour !== COLOUR_RGB))
    return undefined;
  const values = Array.from({ length: samples }, (_, i) => {
    const low = transparency[2 * i + 1];
    return depth === 16 ? (transparency[2 * i] << 8) | low : low;
  });
  return samples === 1 ? [values[0], values[0], values[0]] : values;
}

/** Entries that the palette lacks are opaque black. */
function paletteExpander({ width, depth, palette, transparency }: PngHeader): Expand {
  const colours = Array.from({ length: 256 }, (_, i) => [
    palette[3 * i] ?? 0,
    palette[3 * i + 1] ?? 0,
    palette[3 * i + 2] ?? 0,
    transparency[i] ?? 255,
  ]);
  const table = Uint8Array.from(colours.flat());
  const out = new Uint8Array(4 * width);
  return (row, pixels) => {
    for (let x = 0, to = 0; x < pixels; x++, to += 4) {
      const from = 4 * sample(row, x, depth);
      out[to] = table[from];
      out[to + 1] = table[from + 1];
      out[to + 2] = table[from + 2];
      out[to + 3] = table[from + 3];
    }
    return out.subarray(0, 4 * pixels);
  };
}
