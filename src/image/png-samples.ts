/** Samples of a PNG's rows as the resizer takes them: RGB or RGBA of 8 bits (W3C PNG third edition, 11.3). */
import {
  CHANNELS,
  COLOUR_GREY,
  COLOUR_PALETTE,
  COLOUR_RGB,
  COLOUR_RGBA,
  type PngHeader,
} from './png-header.ts';
import type { PixelLayout } from './raster.ts';

/** Turns a row of so many pixels into the layout's; what it returns is valid until it is called again. */
export type Expand = (row: Uint8Array, pixels: number) => Uint8Array;

/** What comes in the resizer's own layouts stays as it is; all else becomes RGBA. */
export function createExpander(header: PngHeader): { readonly layout: PixelLayout; readonly expand: Expand } {
  const { depth, colour } = header;
  if (depth === 8 && colour === COLOUR_RGBA) return { layout: 'rgba', expand: (row) => row };
  if (depth === 8 && colour === COLOUR_RGB && transparentKey(header) === undefined)
    return { layout: 'rgb', expand: (row) => row };
  return {
    layout: 'rgba',
    expand: colour === COLOUR_PALETTE ? paletteExpander(header) : sampleExpander(header),
  };
}

function sampleExpander(header: PngHeader): Expand {
  const { width, depth, colour } = header;
  const out = new Uint8Array(4 * width).fill(255);
  const channels = CHANNELS[colour];
  const key = transparentKey(header);
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const down = depth === 16 ? 8 : 0;
  const isGrey = channels < 3;
  const hasAlpha = channels % 2 === 0;
  return (row, pixels) => {
    for (let x = 0, to = 0; x < pixels; x++, to += 4) {
      const at = x * channels;
      const red = sample(row, at, depth);
      const green = isGrey ? red : sample(row, at + 1, depth);
      const blue = isGrey ? red : sample(row, at + 2, depth);
      out[to] = (red >> down) * scale;
      out[to + 1] = (green >> down) * scale;
      out[to + 2] = (blue >> down) * scale;
      if (hasAlpha) out[to + 3] = sample(row, at + channels - 1, depth) >> down;
      else if (key !== undefined)
        out[to + 3] = red === key[0] && green === key[1] && blue === key[2] ? 0 : 255;
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
