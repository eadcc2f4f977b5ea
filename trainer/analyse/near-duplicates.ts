/**
 * Pictures that are nearly the same: resized, recompressed, cropped a little, or the next frame of a film. Found by the
 * distance of their CNN codes, so that no pixel need be looked at again.
 */

export interface Pair {
  /** Indices of the two pictures. */
  readonly first: number;
  readonly second: number;
  /** Cosine between the centred, standardised codes; 1 for the same picture. */
  readonly cosine: number;
}

/** Recompressed and slightly cropped copies lie above it, different photos of one object mostly below. */
const NEARLY_THE_SAME = 0.95;
/** All pairs are compared, so that time grows with the square: ten seconds or so at this many. */
export const MAX_COMPARED = 12_000;
/** Random directions keep cosines to within a few hundredths, near 1 far better (Johnson & Lindenstrauss 1984). */
const DIRECTIONS = 256;
/** Pairs whose sketch comes this close are measured exactly. */
const SLACK = 0.06;

/**
 * @param codes n × D. @returns pairs from the most alike down.
 */
export function nearDuplicates(codes: Float16Array, n: number, random: () => number): Pair[] {
  const unit = standardised(codes, n);
  const d = unit.length / n;
  const sketch = project(unit, n, random);
  const pairs: Pair[] = [];
  for (let first = 0; first < n; first++) {
    for (let second = first + 1; second < n; second++) {
      if (dot(sketch, first, second, DIRECTIONS) < NEARLY_THE_SAME - SLACK) continue;
      const cosine = dot(unit, first, second, d);
      if (cosine >= NEARLY_THE_SAME) pairs.push({ first, second, cosine });
    }
  }
  return pairs.sort((a, b) => b.cosine - a.cosine || a.first - b.first || a.second - b.second);
}

/** Each column centred and scaled to deviation 1, then each row to length 1. */
function standardised(codes: Float16Array, n: number): Float32Array {
  const d = codes.length / n;
  const out = Float32Array.from(codes);
  for (let c = 0; c < d; c++) {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      sum += out[i * d + c];
      squares += out[i * d + c] ** 2;
    }
    const mean = sum / n;
    const scale = 1 / Math.sqrt(Math.max(squares / n - mean * mean, 1e-6));
    for (let i = 0; i < n; i++) out[i * d + c] = (out[i * d + c] - mean) * scale;
  }
  normaliseRows(out, d);
  return out;
}

function project(rows: Float32Array, n: number, random: () => number): Float32Array {
  const d = rows.length / n;
  const out = new Float32Array(n * DIRECTIONS);
  const signs = new Float32Array(d);
  for (let k = 0; k < DIRECTIONS; k++) {
    for (let c = 0; c < d; c++) signs[c] = random() < 0.5 ? -1 : 1;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += rows[i * d + c] * signs[c];
      out[i * DIRECTIONS + k] = sum;
    }
  }
  normaliseRows(out, DIRECTIONS);
  return out;
}

function normaliseRows(rows: Float32Array, d: number): void {
  for (let at = 0; at < rows.length; at += d) {
    const row = rows.subarray(at, at + d);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let c = 0; c < d; c++) row[c] /= length;
  }
}

function dot(rows: Float32Array, first: number, second: number, d: number): number {
  let sum = 0;
  for (let c = 0, a = first * d, b = second * d; c < d; c++, a++, b++) sum += rows[a] * rows[b];
  return sum;
}
