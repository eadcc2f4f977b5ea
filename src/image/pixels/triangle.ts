/**
 * Weights of the triangle filter (linear interpolation) whose support grows with the ratio when shrinking, as in
 * Pillow's `Image.resize(size, BILINEAR)`: every source sample counts, none is skipped. Integers, so that what is summed
 * up with them is exact on every host.
 */

/**
 * For each target index i, `count[i]` weights for the source indices from `start[i]` on, lying in `weight` from
 * `offset[i]` on. The weights of each i sum to exactly 2^bits. Starts and ends never fall as i grows.
 */
export interface Taps {
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly offset: Int32Array;
  readonly weight: Int32Array;
}

/**
 * @param covered how many of the source samples the target spans, in (from − 1, from]: the last may lie partly beyond.
 * @returns triangle-filter taps that take `from` samples to `to` samples (both ≥ 1), weights in units of 2^-bits.
 */
export function triangleTaps(from: number, to: number, bits: number, covered = from): Taps {
  const ratio = covered / to;
  const radius = Math.max(1, ratio);
  const most = Math.ceil(radius) * 2 + 1;
  const start = new Int32Array(to);
  const count = new Int32Array(to);
  const offset = new Int32Array(to);
  const weight = new Int32Array(to * most);
  const exact = new Float64Array(most);
  let used = 0;
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * ratio;
    const first = Math.max(0, Math.floor(centre - radius + 0.5));
    const end = Math.min(from, Math.floor(centre + radius + 0.5));
    for (let j = first; j < end; j++) {
      exact[j - first] = Math.max(0, 1 - Math.abs((j + 0.5 - centre) / radius));
    }
    start[i] = first;
    count[i] = end - first;
    offset[i] = used;
    quantise(exact.subarray(0, end - first), weight.subarray(used, used + end - first), 2 ** bits);
    used += end - first;
  }
  return { start, count, offset, weight: weight.slice(0, used) };
}

/** Scales `exact` to integers that sum to exactly `total`; the largest takes up what rounding left. */
function quantise(exact: Float64Array, out: Int32Array, total: number): void {
  let sum = 0;
  for (const w of exact) sum += w;
  let left = total;
  let largest = 0;
  for (let k = 0; k < exact.length; k++) {
    out[k] = Math.round((exact[k] / sum) * total);
    left -= out[k];
    if (exact[k] > exact[largest]) largest = k;
  }
  out[largest] += left;
}
