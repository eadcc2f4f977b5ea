/**
 * Dense symmetric arithmetic in double precision, two lanes at a time: the heavy steps of the closed-form head. The
 * host lays memory out and passes addresses; what each step computes is said in primitives.ts. Rows of matrices are
 * `stride` numbers apart, a multiple of 8.
 */

/** As in primitives.ts. */
const PANEL_COLUMNS: i32 = 64;

function at(base: usize, index: i32): usize {
  return base + (<usize>index << 3);
}

function lanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Rows [begin, end) of K += P·Pᵀ; at least the lower triangle (a few entries above it may be written too). */
export function addPanel(matrix: usize, stride: i32, panel: usize, m: i32, begin: i32, end: i32): void {
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    let j = 0;
    for (; j <= i + 3 && j + 2 <= m; j += 2) {
      addTile(at(panel, i * PANEL_COLUMNS), at(panel, j * PANEL_COLUMNS), PANEL_COLUMNS, at(matrix, i * stride + j), stride);
    }
    if (j <= i + 3) for (let r = 0; r < 4; r++) addEntry(matrix, stride, panel, i + r, j);
  }
  for (; i < end; i++) for (let j = 0; j <= i; j++) addEntry(matrix, stride, panel, i, j);
}

function addEntry(matrix: usize, stride: i32, panel: usize, i: i32, j: i32): void {
  let sum = f64x2.splat(0);
  for (let c = 0; c < PANEL_COLUMNS; c += 2) {
    const a = v128.load(at(panel, i * PANEL_COLUMNS + c));
    sum = f64x2.add(sum, f64x2.mul(a, v128.load(at(panel, j * PANEL_COLUMNS + c))));
  }
  const entry = at(matrix, i * stride + j);
  store<f64>(entry, load<f64>(entry) + lanes(sum));
}

/**
 * out[r][c] += a[r] · b[c] for four rows of a and two of b, `length` numbers each and as far apart: eight sums, six loads
 * a step.
 */
function addTile(a: usize, b: usize, length: i32, out: usize, stride: i32): void {
  let s00 = f64x2.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  const row = <usize>length << 3;
  const last = b + (<usize>(length & ~1) << 3);
  for (; b < last; a += 16, b += 16) {
    const b0 = v128.load(b);
    const b1 = v128.load(b + row);
    const a0 = v128.load(a);
    s00 = f64x2.add(s00, f64x2.mul(a0, b0));
    s01 = f64x2.add(s01, f64x2.mul(a0, b1));
    const a1 = v128.load(a + row);
    s10 = f64x2.add(s10, f64x2.mul(a1, b0));
    s11 = f64x2.add(s11, f64x2.mul(a1, b1));
    const a2 = v128.load(a + 2 * row);
    s20 = f64x2.add(s20, f64x2.mul(a2, b0));
    s21 = f64x2.add(s21, f64x2.mul(a2, b1));
    const a3 = v128.load(a + 3 * row);
    s30 = f64x2.add(s30, f64x2.mul(a3, b0));
    s31 = f64x2.add(s31, f64x2.mul(a3, b1));
  }
  if (length & 1) {
    const b0 = v128.load64_zero(b), b1 = v128.load64_zero(b + row);
    const a0 = v128.load64_zero(a), a1 = v128.load64_zero(a + row);
    const a2 = v128.load64_zero(a + 2 * row), a3 = v128.load64_zero(a + 3 * row);
    s00 = f64x2.add(s00, f64x2.mul(a0, b0)); s01 = f64x2.add(s01, f64x2.mul(a0, b1));
    s10 = f64x2.add(s10, f64x2.mul(a1, b0)); s11 = f64x2.add(s11, f64x2.mul(a1, b1));
    s20 = f64x2.add(s20, f64x2.mul(a2, b0)); s21 = f64x2.add(s21, f64x2.mul(a2, b1));
    s30 = f64x2.add(s30, f64x2.mul(a3, b0)); s31 = f64x2.add(s31, f64x2.mul(a3, b1));
  }
  const next = <usize>stride << 3;
  addPair(out, s00, s01);
  addPair((out += next), s10, s11);
  addPair((out += next), s20, s21);
  addPair((out += next), s30, s31);
}

function addPair(out: usize, left: v128, right: v128): void {
  const low = i8x16.shuffle(left, right, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  const high = i8x16.shuffle(left, right, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  v128.store(out, f64x2.add(v128.load(out), f64x2.add(low, high)));
}

/**
 * out[r][c] = rows[r] · vectors[c], vectors of `length` numbers without gaps. A last tile takes four rows and two vectors
 * whatever there is; what it finds beyond `count` and `columns` means nothing.
 * @param out [… × PANEL_COLUMNS]
 */
export function timesVectors(rows: usize, count: i32, vectors: usize, columns: i32, length: i32, out: usize): void {
  for (let r = 0; r < count; r += 4) {
    memory.fill(at(out, r * PANEL_COLUMNS), 0, <usize>(4 * PANEL_COLUMNS) << 3);
    for (let c = 0; c < columns; c += 2) {
      addTile(at(rows, r * length), at(vectors, c * length), length, at(out, r * PANEL_COLUMNS + c), PANEL_COLUMNS);
    }
  }
}

/**
 * Rows [begin, end) of one pass over the lower triangle from row and column `from` on, which applies the rank-two update
 * that the last step left (K −= v·wᵀ + w·vᵀ) and adds K·x of the result to `out`. One pass, because K does not fit any
 * cache. A number of rows that is no multiple of four only where `begin` is `from`.
 */
export function updateAndMultiply(
  matrix: usize, stride: i32, from: i32, begin: i32, end: i32, v: usize, w: usize, x: usize, out: usize,
): void {
  const rest = (end - begin) & 3;
  updateSquare(matrix, stride, begin, begin + rest, v, w, x, out);
  for (let i = begin + rest; i < end; i += 4) {
    updateFourRows(matrix, stride, from, i, v, w, x, out);
    updateSquare(matrix, stride, i, i + 4, v, w, x, out);
  }
}

/** The lower triangle of the square on the diagonal that the rows [begin, end) have for themselves. */
function updateSquare(matrix: usize, stride: i32, begin: i32, end: i32, v: usize, w: usize, x: usize, out: usize): void {
  for (let i = begin; i < end; i++) for (let k = begin; k <= i; k++) updateEntry(matrix, stride, i, k, v, w, x, out);
}

function updateEntry(matrix: usize, stride: i32, i: i32, k: i32, v: usize, w: usize, x: usize, out: usize): void {
  const entry = at(matrix, i * stride + k);
  const value =
    load<f64>(entry) - (load<f64>(at(v, i)) * load<f64>(at(w, k)) + load<f64>(at(w, i)) * load<f64>(at(v, k)));
  store<f64>(entry, value);
  addTo(at(out, i), value * load<f64>(at(x, k)));
  if (i != k) addTo(at(out, k), value * load<f64>(at(x, i)));
}

/** Columns [from, i) of rows i to i + 3. */
function updateFourRows(matrix: usize, stride: i32, from: i32, i: i32, v: usize, w: usize, x: usize, out: usize): void {
  const v0 = v128.load64_splat(at(v, i)), v1 = v128.load64_splat(at(v, i + 1));
  const v2 = v128.load64_splat(at(v, i + 2)), v3 = v128.load64_splat(at(v, i + 3));
  const w0 = v128.load64_splat(at(w, i)), w1 = v128.load64_splat(at(w, i + 1));
  const w2 = v128.load64_splat(at(w, i + 2)), w3 = v128.load64_splat(at(w, i + 3));
  const x0 = v128.load64_splat(at(x, i)), x1 = v128.load64_splat(at(x, i + 1));
  const x2 = v128.load64_splat(at(x, i + 2)), x3 = v128.load64_splat(at(x, i + 3));
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const row = <usize>stride << 3;
  let k = from;
  for (; k + 2 <= i; k += 2) {
    const vk = v128.load(at(v, k)), wk = v128.load(at(w, k)), xk = v128.load(at(x, k));
    let entry = at(matrix, i * stride + k);
    const a0 = f64x2.sub(v128.load(entry), f64x2.add(f64x2.mul(v0, wk), f64x2.mul(w0, vk)));
    v128.store(entry, a0);
    s0 = f64x2.add(s0, f64x2.mul(a0, xk));
    entry += row;
    const a1 = f64x2.sub(v128.load(entry), f64x2.add(f64x2.mul(v1, wk), f64x2.mul(w1, vk)));
    v128.store(entry, a1);
    s1 = f64x2.add(s1, f64x2.mul(a1, xk));
    let sum = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
    entry += row;
    const a2 = f64x2.sub(v128.load(entry), f64x2.add(f64x2.mul(v2, wk), f64x2.mul(w2, vk)));
    v128.store(entry, a2);
    s2 = f64x2.add(s2, f64x2.mul(a2, xk));
    sum = f64x2.add(sum, f64x2.mul(a2, x2));
    entry += row;
    const a3 = f64x2.sub(v128.load(entry), f64x2.add(f64x2.mul(v3, wk), f64x2.mul(w3, vk)));
    v128.store(entry, a3);
    s3 = f64x2.add(s3, f64x2.mul(a3, xk));
    sum = f64x2.add(sum, f64x2.mul(a3, x3));
    const o = at(out, k);
    v128.store(o, f64x2.add(v128.load(o), sum));
  }
  addTo(at(out, i), lanes(s0)); addTo(at(out, i + 1), lanes(s1));
  addTo(at(out, i + 2), lanes(s2)); addTo(at(out, i + 3), lanes(s3));
  for (; k < i; k++) for (let r = 0; r < 4; r++) updateEntry(matrix, stride, i + r, k, v, w, x, out);
}

function addTo(entry: usize, value: f64): void {
  store<f64>(entry, load<f64>(entry) + value);
}

/** Rows of Q, and columns of V, that stay in the first cache while all rows of V pass. */
const CHUNK_ROWS: i32 = 64;

/**
 * product = V·Q over rows [rowBegin, m) and eight columns of Q.
 * @param v [count × vStride], a row a reflector; count is even.
 * @param product [count × 8] written.
 */
function reflectorsTimes(
  matrix: usize, stride: i32, m: i32, v: usize, vStride: i32, count: i32, rowBegin: i32, column: i32, product: usize,
): void {
  memory.fill(product, 0, <usize>count << 6);
  for (let begin = rowBegin; begin < m; begin += CHUNK_ROWS) {
    const rows = min(CHUNK_ROWS, m - begin);
    const q = at(matrix, begin * stride + column);
    for (let r = 0; r < count; r += 2) {
      addProducts(q, <usize>stride << 3, at(v, r * vStride + begin), <usize>vStride << 3, rows, at(product, r * 8));
    }
  }
}

/** product += two rows of V times eight columns of Q, over so many rows of Q. */
function addProducts(q: usize, row: usize, v: usize, vRow: usize, rows: i32, product: usize): void {
  let a0 = v128.load(product), a1 = v128.load(product, 16), a2 = v128.load(product, 32), a3 = v128.load(product, 48);
  let b0 = v128.load(product, 64), b1 = v128.load(product, 80), b2 = v128.load(product, 96), b3 = v128.load(product, 112);
  for (const last = v + (<usize>rows << 3); v < last; q += row, v += 8) {
    const va = v128.load64_splat(v);
    const vb = v128.load64_splat(v + vRow);
    const q0 = v128.load(q);
    a0 = f64x2.add(a0, f64x2.mul(va, q0));
    b0 = f64x2.add(b0, f64x2.mul(vb, q0));
    const q1 = v128.load(q, 16);
    a1 = f64x2.add(a1, f64x2.mul(va, q1));
    b1 = f64x2.add(b1, f64x2.mul(vb, q1));
    const q2 = v128.load(q, 32);
    a2 = f64x2.add(a2, f64x2.mul(va, q2));
    b2 = f64x2.add(b2, f64x2.mul(vb, q2));
    const q3 = v128.load(q, 48);
    a3 = f64x2.add(a3, f64x2.mul(va, q3));
    b3 = f64x2.add(b3, f64x2.mul(vb, q3));
  }
  v128.store(product, a0); v128.store(product, a1, 16); v128.store(product, a2, 32); v128.store(product, a3, 48);
  v128.store(product, b0, 64); v128.store(product, b1, 80); v128.store(product, b2, 96); v128.store(product, b3, 112);
}

/** Q −= Vᵀ·product over rows [rowBegin, m) and eight columns, two rows at a time. */
function subtractReflected(
  matrix: usize, stride: i32, m: i32, reflectors: usize, count: i32, rowBegin: i32, column: i32, product: usize,
): void {
  const row = <usize>stride << 3;
  for (let i = rowBegin; i < m; i += 2) {
    // The last row of an odd number is done twice over by the same address; its second result is dropped.
    const both = i + 1 < m;
    const q = at(matrix, i * stride + column);
    const p = both ? q + row : q;
    let a0 = v128.load(q), a1 = v128.load(q, 16), a2 = v128.load(q, 32), a3 = v128.load(q, 48);
    let b0 = v128.load(p), b1 = v128.load(p, 16), b2 = v128.load(p, 32), b3 = v128.load(p, 48);
    let v = at(reflectors, i);
    let y = product;
    for (let r = 0; r < count; r++, v += row, y += 64) {
      const va = v128.load64_splat(v);
      const vb = v128.load64_splat(both ? v + 8 : v);
      const y0 = v128.load(y), y1 = v128.load(y, 16);
      a0 = f64x2.sub(a0, f64x2.mul(va, y0));
      a1 = f64x2.sub(a1, f64x2.mul(va, y1));
      b0 = f64x2.sub(b0, f64x2.mul(vb, y0));
      b1 = f64x2.sub(b1, f64x2.mul(vb, y1));
      const y2 = v128.load(y, 32), y3 = v128.load(y, 48);
      a2 = f64x2.sub(a2, f64x2.mul(va, y2));
      a3 = f64x2.sub(a3, f64x2.mul(va, y3));
      b2 = f64x2.sub(b2, f64x2.mul(vb, y2));
      b3 = f64x2.sub(b3, f64x2.mul(vb, y3));
    }
    v128.store(p, b0); v128.store(p, b1, 16); v128.store(p, b2, 32); v128.store(p, b3, 48);
    v128.store(q, a0); v128.store(q, a1, 16); v128.store(q, a2, 32); v128.store(q, a3, 48);
  }
}

/**
 * Q −= Vᵀ·(T·(V·Q)) over rows [rowBegin, m) and columns [begin, end): `count` Householder reflectors at once, in the
 * compact WY form (Schreiber & Van Loan 1989).
 * @param triangle [count × count] T, upper triangular.
 * @param work room for 2 · count · 8 numbers.
 */
export function applyReflectors(
  matrix: usize, stride: i32, m: i32, reflectors: usize, triangle: usize, count: i32, rowBegin: i32, begin: i32, end: i32, work: usize,
): void {
  const product = work;
  const scaled = at(work, count * 8);
  for (let column = begin; column < end; column += 8) {
    reflectorsTimes(matrix, stride, m, reflectors, stride, count, rowBegin, column, product);
    for (let r = 0; r < count; r++) {
      for (let c = 0; c < 8; c += 2) {
        let sum = f64x2.splat(0);
        for (let k = r; k < count; k++) {
          const t = v128.load64_splat(at(triangle, r * count + k));
          sum = f64x2.add(sum, f64x2.mul(t, v128.load(at(product, k * 8 + c))));
        }
        v128.store(at(scaled, r * 8 + c), sum);
      }
    }
    subtractReflected(matrix, stride, m, reflectors, count, rowBegin, column, scaled);
  }
}

/**
 * out = rows·K, `count` rows at a time and columns [begin, end); count is even.
 * @param rows [count × rowStride]
 * @param out [count × outStride]
 * @param work room for count · 8 numbers.
 */
export function multiplyRows(
  matrix: usize, stride: i32, m: i32, rows: usize, rowStride: i32, count: i32, begin: i32, end: i32,
  out: usize, outStride: i32, work: usize,
): void {
  for (let column = begin; column < end; column += 8) {
    reflectorsTimes(matrix, stride, m, rows, rowStride, count, 0, column, work);
    for (let r = 0; r < count; r++) memory.copy(at(out, r * outStride + column), at(work, r * 8), 64);
  }
}
