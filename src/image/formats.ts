/** The way of a picture of each format: its header, the bounds on it, its decoder, and the resizer at the end. */
import type { Header } from './header.ts';
import { checkCallWork, checkWorkingBytes } from './header.ts';
import type { ImageInput } from './input.ts';
import { decodeJpeg, type JpegDecoder } from './jpeg/codec.ts';
import { checkJpegMemory, checkJpegWork, readJpegHeader } from './jpeg/header.ts';
import { chooseScale, scaledSide } from './jpeg/scale.ts';
import type { PngDecoder } from './png/codec.ts';
import { checkPngSize, decodePng, pngMemory } from './png/decode.ts';
import { readPngHeader } from './png/header.ts';
import { MAX_IDLE_WORKING_BYTES } from './limits.ts';
import { asStored, type Size } from './pixels/raster.ts';
import { beyondOne, resizeMemory, resizeWork } from './pixels/resize-cost.ts';
import type { Resizer } from './pixels/resize.ts';
import { decodeWebp, type WebpDecoder } from './webp/codec.ts';
import { readWebpHeader } from './webp/header.ts';
import type { DecodingWork } from './work.ts';

/** What a picture's bytes say, and its pixels for each input. */
export interface Decoded {
  readonly header: Header;
  readonly pixels: readonly Uint8Array[];
}

/** A byte of a file of which nothing but its structure is read; the dearest is a JPEG of markers that are none. */
const HEADER_BYTE_NS = 9;
const RGB_BYTES = 3;

/** What a file cost that is refused is told, too: in those that are decoded it is a part of their work. */
function readHeader<H extends Header>(
  read: (bytes: Uint8Array) => H,
  bytes: Uint8Array,
  work: DecodingWork,
): H {
  try {
    return read(bytes);
  } catch (error) {
    work.allow(bytes.length * HEADER_BYTE_NS);
    throw error;
  }
}

/** Decodes once for each scale that the inputs want. Others have their turn in between, so that each is a call of its own. */
export async function jpegPixels(
  decoder: JpegDecoder,
  resizer: Resizer,
  bytes: Uint8Array,
  inputs: readonly ImageInput[],
  work: DecodingWork,
): Promise<Decoded> {
  const header = readHeader(readJpegHeader, bytes, work);
  const { orientation } = header;
  const targets = inputs.map((input) => asStored(input, orientation));
  const scales = Map.groupBy(inputs.keys(), (i) => chooseScale(header, targets[i], inputs[i].rules ?? 1));
  let [workNs, workingBytes] = [0, 0];
  for (const [n, its] of scales) {
    const source = { width: scaledSide(header.width, n), height: scaledSide(header.height, n) };
    const moreBytes = beyondOne(targets.map((target) => resizeMemory(source, target)));
    workingBytes = Math.max(workingBytes, checkJpegMemory(header, bytes.length + moreBytes, n));
    workNs += checkJpegWork(header, n, beyondOne(its.map((i) => resizeWork(source, targets[i]))));
  }
  work.allow(workNs);
  const [first] = scales.values();
  const pixels: Uint8Array[] = [];
  const decode = async (): Promise<void> => {
    for (const [n, its] of scales) {
      if (its !== first) await work.rest();
      const sizes = its.map((i) => inputs[i]);
      const results = decodeJpeg(decoder, bytes, header, n, (raster) =>
        resizer.resize(raster, orientation, sizes),
      );
      for (const [k, i] of its.entries()) pixels[i] = results[k];
    }
  };
  const overPauses = scales.size === 1 ? 0 : resultBytes(inputs);
  await work.hold(beyondIdle(workingBytes) + overPauses, decode);
  return { header, pixels };
}

export async function pngPixels(
  decoder: PngDecoder,
  resizer: Resizer,
  bytes: Uint8Array,
  inputs: readonly ImageInput[],
  work: DecodingWork,
): Promise<Decoded> {
  const header = withResizes(readHeader(readPngHeader, bytes, work), inputs);
  checkPngSize(header);
  work.allow(header.work);
  const decode = (): Promise<Uint8Array[]> => decodePng(decoder, header, resizer, inputs, work);
  const pixels = await work.hold(pngMemory(header, inputs), decode);
  return { header, pixels };
}

export async function webpPixels(
  decoder: WebpDecoder,
  resizer: Resizer,
  bytes: Uint8Array,
  inputs: readonly ImageInput[],
  work: DecodingWork,
): Promise<Decoded> {
  const header = withResizes(readHeader(readWebpHeader, bytes, work), inputs);
  const { orientation } = header;
  const moreBytes = beyondOne(inputs.map((input) => resizeMemory(header, asStored(input, orientation))));
  const workingBytes = checkWorkingBytes('webp', header, header.workingBytes + moreBytes);
  checkCallWork('webp', header);
  work.allow(header.work);
  const pixels = await work.hold(beyondIdle(workingBytes), async () =>
    decodeWebp(decoder, header, (raster) => resizer.resize(raster, orientation, inputs)),
  );
  return { header, pixels };
}

/** @returns the header with the work of all resizes: a format's own estimate holds one. */
function withResizes<H extends Header>(header: H, inputs: readonly Size[]): H {
  const more = beyondOne(inputs.map((input) => resizeWork(header, asStored(input, header.orientation))));
  return { ...header, work: header.work + more };
}

/** @returns what a decoder needs of the memory that JPEG and WebP share beyond what always stays. */
function beyondIdle(workingBytes: number): number {
  return Math.max(0, workingBytes - MAX_IDLE_WORKING_BYTES);
}

function resultBytes(sizes: readonly Size[]): number {
  return sizes.reduce((sum, { width, height }) => sum + RGB_BYTES * width * height, 0);
}
