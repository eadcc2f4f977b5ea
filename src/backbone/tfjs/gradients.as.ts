/**
 * What training needs and TensorFlow.js's WASM backend lacks. These kernels work inside that backend's own memory:
 * they have no data of their own, and the host passes the addresses of tensors, float32, channels last.
 */

/** Channels whose sums are kept in registers at once: a cache line of 64 bytes. */
const LINE = 16;
const LANES = 4;

@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Adds Σ x·dy over `count` pixels to 16 channels of `sum`. Steps are in bytes from pixel to pixel. */
@inline
function addLine(x: usize, dy: usize, count: i32, xStep: usize, dyStep: usize, sum: usize): void {
  let s0 = v128.load(sum), s1 = v128.load(sum, 16), s2 = v128.load(sum, 32), s3 = v128.load(sum, 48);
  for (let i = 0; i < count; i++) {
    s0 = madd(v128.load(x), v128.load(dy), s0);
    s1 = madd(v128.load(x, 16), v128.load(dy, 16), s1);
    s2 = madd(v128.load(x, 32), v128.load(dy, 32), s2);
    s3 = madd(v128.load(x, 48), v128.load(dy, 48), s3);
    x += xStep;
    dy += dyStep;
  }
  v128.store(sum, s0);
  v128.store(sum, s1, 16);
  v128.store(sum, s2, 32);
  v128.store(sum, s3, 48);
}

/** The same for four channels. */
@inline
function addLanes(x: usize, dy: usize, count: i32, xStep: usize, dyStep: usize, sum: usize): void {
  let s = v128.load(sum);
  for (let i = 0; i < count; i++) {
    s = madd(v128.load(x), v128.load(dy), s);
    x += xStep;
    dy += dyStep;
  }
  v128.store(sum, s);
}

/** The same for one channel. */
@inline
function addOne(x: usize, dy: usize, count: i32, xStep: usize, dyStep: usize, sum: usize): void {
  let s = load<f32>(sum);
  for (let i = 0; i < count; i++) {
    s += load<f32>(x) * load<f32>(dy);
    x += xStep;
    dy += dyStep;
  }
  store<f32>(sum, s);
}

/** The first output index whose window position `k` lies inside the input. */
@inline
function firstInside(k: i32, padding: i32, stride: i32): i32 {
  return max(0, (padding - k + stride - 1) / stride);
}

/** One past the last such index. */
@inline
function endInside(k: i32, padding: i32, stride: i32, input: i32, output: i32): i32 {
  const last = input - 1 + padding - k;
  return last < 0 ? 0 : min(output, last / stride + 1);
}

/**
 * Gradient of a depthwise convolution to its filter, one filter a channel:
 * dw[ky, kx, c] = Σ x[n, y·stride + ky − top, x·stride + kx − left, c] · dy[n, y, x, c].
 * @param dw [kernel height, kernel width, channels].
 */
export function depthwiseFilter(
  x: usize, dy: usize, dw: usize,
  pictures: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32,
  strideY: i32, strideX: i32, top: i32, left: i32,
): void {
  const pixel: usize = <usize>channels << 2;
  const lines = channels / LINE * LINE;
  const lanes = channels / LANES * LANES;
  const xStep: usize = pixel * strideX;
  memory.fill(dw, 0, <usize>(kernelHeight * kernelWidth) * pixel);
  for (let n = 0; n < pictures; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const dyRow = dy + <usize>(n * outHeight + oy) * outWidth * pixel;
      for (let ky = 0; ky < kernelHeight; ky++) {
        const iy = oy * strideY + ky - top;
        if (iy < 0 || iy >= height) continue;
        const xRow = x + <usize>(n * height + iy) * width * pixel;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const first = firstInside(kx, left, strideX);
          const count = endInside(kx, left, strideX, width, outWidth) - first;
          if (count <= 0) continue;
          const xAt = xRow + <usize>(first * strideX + kx - left) * pixel;
          const dyAt = dyRow + <usize>first * pixel;
          const to = dw + <usize>(ky * kernelWidth + kx) * pixel;
          let c = 0;
          for (; c < lines; c += LINE) addLine(xAt + (c << 2), dyAt + (c << 2), count, xStep, pixel, to + (c << 2));
          for (; c < lanes; c += LANES) addLanes(xAt + (c << 2), dyAt + (c << 2), count, xStep, pixel, to + (c << 2));
          for (; c < channels; c++) addOne(xAt + (c << 2), dyAt + (c << 2), count, xStep, pixel, to + (c << 2));
        }
      }
    }
  }
}

/** y = x · clip(x + 3, 0, 6) / 6. */
export function hardSwish(x: usize, y: usize, length: i32): void {
  const zero = f32x4.splat(0), three = f32x4.splat(3), six = f32x4.splat(6), sixth = f32x4.splat(1.0 / 6.0);
  const end = x + (<usize>(length & ~3) << 2);
  for (; x < end; x += 16, y += 16) {
    const v = v128.load(x);
    const gate = f32x4.pmin(six, f32x4.pmax(zero, f32x4.add(v, three)));
    v128.store(y, f32x4.mul(f32x4.mul(v, gate), sixth));
  }
  for (let i = length & ~3; i < length; i++, x += 4, y += 4) {
    const v = load<f32>(x);
    store<f32>(y, v * min<f32>(6, max<f32>(0, v + 3)) * <f32>(1.0 / 6.0));
  }
}

/** dx = dy · (0 below −3, 1 above 3, (2x + 3)/6 between). */
export function hardSwishGradient(x: usize, dy: usize, dx: usize, length: i32): void {
  const zero = f32x4.splat(0), one = f32x4.splat(1), three = f32x4.splat(3), half = f32x4.splat(0.5);
  const minus = f32x4.splat(-3), third = f32x4.splat(1.0 / 3.0);
  const end = x + (<usize>(length & ~3) << 2);
  for (; x < end; x += 16, dy += 16, dx += 16) {
    const v = v128.load(x);
    let slope = madd(v, third, half);
    slope = v128.bitselect(zero, slope, f32x4.le(v, minus));
    slope = v128.bitselect(one, slope, f32x4.ge(v, three));
    v128.store(dx, f32x4.mul(v128.load(dy), slope));
  }
  for (let i = length & ~3; i < length; i++, x += 4, dy += 4, dx += 4) {
    const v = load<f32>(x);
    const slope: f32 = v <= -3 ? 0 : v >= 3 ? 1 : v * <f32>(1.0 / 3.0) + <f32>0.5;
    store<f32>(dx, load<f32>(dy) * slope);
  }
}
