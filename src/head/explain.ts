/**
 * Where in a picture a logit comes from. A linear head reads spatial means, so the logit of a class is a sum over places
 * of the feature maps: every place has an exact share of it (class activation maps, Zhou et al. 2016, taken at all taps
 * at once and together with the part that they leave out, the bias).
 *
 *     logit = (bias − Σ weight · mean / deviation) + Σ over taps, places, channels of weight / deviation · map / places
 *
 * The bracket belongs to no place. Maps of different sizes are brought to one grid without gaining or losing anything.
 */
import type { Head } from './head.ts';

/** One picture's map at a tap: height × width × channels numbers, channels last. */
export interface TapMap {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

export interface Explanation {
  readonly logit: number;
  /** What belongs to no place. */
  readonly bias: number;
  /** height × width shares, row by row; they and the bias sum to the logit. */
  readonly grid: { readonly height: number; readonly width: number; readonly shares: Float64Array };
  /** Taps whose maps were not at hand: their part of the logit is exact, but lies evenly on all places. */
  readonly spreadTaps: readonly string[];
}

/** A tap as the head sees it. */
interface HeadTap {
  readonly name: string;
  readonly channels: number;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** The grid where no tap has a map. */
const SMALLEST_GRID: Size = { height: 1, width: 1 };

/**
 * @param taps the head's, in the order of its code.
 * @param label index of the class.
 * @param code [D of the head]
 * @param maps by tap; of one picture.
 * @throws RangeError when a map or the code is of another size than the head reads.
 */
export function explain(
  head: Linear,
  taps: readonly HeadTap[],
  label: number,
  code: Float32Array,
  maps: ReadonlyMap<string, TapMap>,
): Explanation {
  if (code.length !== head.codeLength) {
    throw new RangeError(`The code has ${code.length} numbers; the head reads ${head.codeLength}.`);
  }
  const size = gridSize(maps);
  const shares = new Float64Array(size.height * size.width);
  const bias = biasOf(head, label);
  const spreadTaps: string[] = [];
  let at = 0;
  for (const { name, channels } of taps) {
    const map = maps.get(name);
    if (map === undefined) {
      spreadTaps.push(name);
      spread(shares, partOf(head, label, code, at, channels));
    } else {
      const own = sharesOf(head, label, map, at, channels, name);
      addResized(own, map, shares, size);
    }
    at += channels;
  }
  if (at !== head.codeLength)
    throw new RangeError(`The taps have ${at} channels; the head reads ${head.codeLength}.`);
  const logit = shares.reduce((sum, share) => sum + share, bias);
  return { logit, bias, grid: { ...size, shares }, spreadTaps };
}

function gridSize(maps: ReadonlyMap<string, TapMap>): Size {
  let { height, width } = SMALLEST_GRID;
  for (const map of maps.values()) {
    height = Math.max(height, map.height);
    width = Math.max(width, map.width);
  }
  return { height, width };
}

type Linear = Pick<Head, 'codeLength' | 'mean' | 'deviation' | 'weights' | 'bias'>;

/** The logit of a code of zeros: what belongs to no place. */
function biasOf(head: Linear, label: number): number {
  const row = label * head.codeLength;
  let bias = head.bias[label];
  for (let d = 0; d < head.codeLength; d++)
    bias -= (head.weights[row + d] * head.mean[d]) / head.deviation[d];
  return bias;
}

/** What a tap adds to that, from the code alone. */
function partOf(head: Linear, label: number, code: Float32Array, at: number, channels: number): number {
  const row = label * head.codeLength;
  let part = 0;
  for (let d = at; d < at + channels; d++) {
    part += (head.weights[row + d] * code[d]) / head.deviation[d];
  }
  return part;
}

/** A tap's share by place of its own map. */
function sharesOf(
  head: Linear,
  label: number,
  map: TapMap,
  at: number,
  channels: number,
  name: string,
): Float64Array {
  const places = map.height * map.width;
  if (map.values.length !== places * channels) {
    throw new RangeError(`The map of ${name} has ${map.values.length} numbers, not ${places * channels}.`);
  }
  const row = label * head.codeLength;
  const slopes = Float64Array.from(
    { length: channels },
    (_, channel) => head.weights[row + at + channel] / head.deviation[at + channel] / places,
  );
  const shares = new Float64Array(places);
  for (let place = 0; place < places; place++) {
    let share = 0;
    const first = place * channels;
    for (let channel = 0; channel < channels; channel++)
      share += slopes[channel] * map.values[first + channel];
    shares[place] = share;
  }
  return shares;
}

function spread(shares: Float64Array, amount: number): void {
  for (let place = 0; place < shares.length; place++) shares[place] += amount / shares.length;
}

/** Adds a small grid to a larger one, smoothly, so that the sum of what is added stays what it was. */
function addResized(values: Float64Array, from: Size, into: Float64Array, to: Size): void {
  const rows = conservingWeights(from.height, to.height);
  const columns = conservingWeights(from.width, to.width);
  for (let y = 0; y < to.height; y++) {
    for (const { index: row, weight: rowWeight } of rows[y]) {
      for (let x = 0; x < to.width; x++) {
        for (const { index: column, weight } of columns[x]) {
          into[y * to.width + x] += rowWeight * weight * values[row * from.width + column];
        }
      }
    }
  }
}

interface Weight {
  readonly index: number;
  readonly weight: number;
}

/**
 * Linear interpolation between cell centres, each small cell's weights then scaled to sum to one over the large cells
 * that read it: it is handed out whole.
 * @param small at most `large`.
 */
function conservingWeights(small: number, large: number): Weight[][] {
  const weights = Array.from({ length: large }, (_, i): Weight[] => {
    const centre = ((i + 0.5) * small) / large - 0.5;
    const low = Math.min(Math.max(Math.floor(centre), 0), small - 1);
    const high = Math.min(low + 1, small - 1);
    const part = Math.min(Math.max(centre - low, 0), 1);
    return [
      { index: low, weight: 1 - part },
      { index: high, weight: part },
    ];
  });
  const sums = new Float64Array(small);
  for (const { index, weight } of weights.flat()) sums[index] += weight;
  return weights.map((cell) => cell.map(({ index, weight }) => ({ index, weight: weight / sums[index] })));
}
