/**
 * Where in a picture a logit comes from. A linear head reads statistics over space, so the logit of a class is a sum over
 * positions of the feature maps: each has an exact share of it (class activation maps, Zhou et al. 2016, taken at all taps
 * at once and together with the part that they leave out, the bias).
 *
 *     logit = (bias − Σ weight · mean / deviation) + Σ over taps, channels of weight / deviation · number of the code
 *
 * The bracket belongs to no position. A number of the code that is a mean is handed out as value / positions; one that is
 * the deviation of a map, by each position's part of the variance. Maps of different sizes are brought to one grid without
 * gaining or losing anything.
 */
import type { Statistic } from '../backbone/plan.ts';
import type { Head } from './head.ts';

/** One picture's map at a tap: height × width × channels numbers, channels last. */
export interface TapMap {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

export interface Explanation {
  readonly logit: number;
  /** What belongs to no position. */
  readonly bias: number;
  /** height × width shares, row by row; they and the bias sum to the logit. */
  readonly grid: { readonly height: number; readonly width: number; readonly shares: Float64Array };
  /** Taps without a map: their part of the logit is exact, but spread evenly over all positions. */
  readonly spreadTaps: readonly string[];
}

/** A tap that the head reads. */
interface HeadTap {
  readonly name: string;
  readonly channels: number;
  /** The mean where absent. */
  readonly statistic?: Statistic;
}

/** A tap's numbers of the code, and what one more of each adds to the logit. */
interface TapPart {
  readonly code: Float32Array;
  readonly slopes: Float64Array;
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
 * @param code [D of the head] from the same run of the same engine as the maps.
 * @param maps by tap; of one picture. Several taps may have the same one.
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
  for (const tap of taps) {
    const map = maps.get(tap.name);
    const part = partOf(head, label, code, at, tap.channels);
    if (map === undefined) {
      spreadTaps.push(tap.name);
      spread(
        shares,
        part.code.reduce((sum, x, channel) => sum + part.slopes[channel] * x, 0),
      );
    } else {
      checkMap(tap, map);
      addResized(sharesOf(part, map, tap.statistic ?? 'mean'), map, shares, size);
    }
    at += tap.channels;
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

/** The logit of a code of zeros: what belongs to no position. */
function biasOf(head: Linear, label: number): number {
  const row = label * head.codeLength;
  let bias = head.bias[label];
  for (let d = 0; d < head.codeLength; d++)
    bias -= (head.weights[row + d] * head.mean[d]) / head.deviation[d];
  return bias;
}

function partOf(head: Linear, label: number, code: Float32Array, at: number, channels: number): TapPart {
  const row = label * head.codeLength;
  return {
    code: code.subarray(at, at + channels),
    slopes: Float64Array.from({ length: channels }, (_, channel) => {
      return head.weights[row + at + channel] / head.deviation[at + channel];
    }),
  };
}

function checkMap({ name, channels }: HeadTap, { height, width, values }: TapMap): void {
  const length = height * width * channels;
  if (values.length !== length)
    throw new RangeError(`The map of ${name} has ${values.length} numbers, not ${length}.`);
}

/**
 * A tap's shares by position. Of a mean: the value, and evenly what rounding in the engine made of the sum. Of a deviation:
 * the position's part of the variance; evenly where there is none.
 */
function sharesOf({ code, slopes }: TapPart, map: TapMap, statistic: Statistic): Float64Array {
  const positions = map.height * map.width;
  const channels = code.length;
  const means = meansOf(map, channels);
  const squares = statistic === 'deviation' ? squaresOf(map, means) : undefined;
  const gains = new Float64Array(channels);
  let even = 0;
  for (let channel = 0; channel < channels; channel++) {
    const part = slopes[channel] * code[channel];
    if (squares === undefined) gains[channel] = slopes[channel] / positions;
    else if (squares[channel] > 0) gains[channel] = part / squares[channel];
    if (squares === undefined || squares[channel] === 0) even += part / positions;
  }
  const shares = new Float64Array(positions).fill(even);
  for (let position = 0, at = 0; position < positions; position++)
    for (let channel = 0; channel < channels; channel++, at++) {
      const difference = map.values[at] - means[channel];
      shares[position] += gains[channel] * (squares === undefined ? difference : difference * difference);
    }
  return shares;
}

/** Of each channel. Differences from the first value are summed, so that a map of one value has exactly that mean. */
function meansOf({ values }: TapMap, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  for (let at = 0; at < values.length; at++) sums[at % channels] += values[at] - values[at % channels];
  return sums.map((sum, channel) => values[channel] + (sum * channels) / values.length);
}

/** By channel, of the differences from the mean. */
function squaresOf({ values }: TapMap, means: Float64Array): Float64Array {
  const squares = new Float64Array(means.length);
  for (let at = 0; at < values.length; at++)
    squares[at % means.length] += (values[at] - means[at % means.length]) ** 2;
  return squares;
}

function spread(shares: Float64Array, amount: number): void {
  for (let position = 0; position < shares.length; position++) shares[position] += amount / shares.length;
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
