/** A JPEG's frame header, and how much work its blocks are: once for all, and once more in each scan. */
import { checkSides, corrupt } from '../header.ts';

/** Frames that our build of libjpeg-turbo decodes: baseline, extended sequential, progressive. */
const SOF_DECODABLE: readonly number[] = [0xc0, 0xc1, 0xc2];
const SOF_PROGRESSIVE = 0xc2;
/** DHT, JPG and DAC, which share the frames' range. */
const NO_FRAMES: readonly number[] = [0xc4, 0xc8, 0xcc];
const COEFFICIENTS_PER_BLOCK = 64;

export interface Component {
  readonly id: number;
  /** 8×8 blocks, padded to whole MCUs. */
  readonly blocks: number;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
  /** Of all components. */
  readonly blocks: number;
  /** Bytes that all quantised coefficients take in the decoder (16 bits each). */
  readonly coefficientBytes: number;
}

export interface Scan {
  readonly components: readonly Component[];
  /** Numbers of their Huffman tables for all coefficients but the first. */
  readonly tables: readonly number[];
  /** Its first and last coefficient. */
  readonly first: number;
  readonly last: number;
  /** Whether it holds the first coefficients of its blocks, of which the picture needs some for every component. */
  readonly hasLevels: boolean;
  /** Whether it adds a bit to coefficients that came before, which looks at all of them. */
  readonly refines: boolean;
}

/** @returns whether the marker is that of a frame header: SOF0 to SOF15. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker);
}

/** @throws image_corrupt for a frame that isn't supported or contradicts itself, image_too_many_pixels beyond the caps. */
export function readFrame(marker: number, payload: Uint8Array): Frame {
  if (!SOF_DECODABLE.includes(marker)) {
    throw corrupt(
      'jpeg',
      'it is lossless, hierarchical or arithmetic-coded, which is not supported; save it as baseline or progressive',
    );
  }
  if (payload.length < 6) throw corrupt('jpeg', 'its frame header is too short');
  const precision = payload[0];
  const height = (payload[1] << 8) | payload[2];
  const width = (payload[3] << 8) | payload[4];
  const count = payload[5];
  if (precision !== 8) throw corrupt('jpeg', `it has ${precision} bits per sample, and only 8 are supported`);
  if (![1, 3, 4].includes(count) || payload.length < 6 + 3 * count) {
    throw corrupt('jpeg', `its frame header claims ${count} colour components`);
  }
  checkSides('jpeg', width, height);
  const components = readComponents(payload, width, height, count);
  const blocks = components.reduce((sum, component) => sum + component.blocks, 0);
  return {
    width,
    height,
    progressive: marker === SOF_PROGRESSIVE,
    components,
    blocks,
    coefficientBytes: 2 * COEFFICIENTS_PER_BLOCK * blocks,
  };
}

/** T.81 A.2: each component has its share of whole 8×8 blocks, padded to whole MCUs. */
function readComponents(payload: Uint8Array, width: number, height: number, count: number): Component[] {
  const factors = Array.from({ length: count }, (_, i) => {
    const sampling = payload[7 + 3 * i];
    return { id: payload[6 + 3 * i], h: sampling >> 4, v: sampling & 15 };
  });
  if (factors.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4))
    throw corrupt('jpeg', 'its sampling factors are impossible');
  const mcusAcross = Math.ceil(width / (8 * Math.max(...factors.map(({ h }) => h))));
  const mcusDown = Math.ceil(height / (8 * Math.max(...factors.map(({ v }) => v))));
  return factors.map(({ id, h, v }) => ({ id, blocks: mcusAcross * h * mcusDown * v }));
}

/** @throws image_corrupt for a scan header that is cut short or names a component that the frame lacks. */
export function readScan(payload: Uint8Array, frame: Frame): Scan {
  const count = payload[0];
  if (!(count >= 1 && count <= 4 && payload.length >= 4 + 2 * count))
    throw corrupt('jpeg', 'a scan header is too short, or has no components');
  const components = Array.from({ length: count }, (_, i) => {
    const found = frame.components.find(({ id }) => id === payload[1 + 2 * i]);
    if (found === undefined) throw corrupt('jpeg', 'a scan is of a component that its frame lacks');
    return found;
  });
  const tables = components.map((_, i) => payload[2 + 2 * i] & 15);
  const [first, last] = frame.progressive ? payload.subarray(1 + 2 * count) : [0, COEFFICIENTS_PER_BLOCK - 1];
  const refines = frame.progressive && first > 0 && payload[3 + 2 * count] >> 4 > 0;
  return { components, tables, first, last, hasLevels: !frame.progressive || first === 0, refines };
}
