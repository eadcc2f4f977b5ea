/**
 * Squashes a picture to a given size with antialiasing, turning it upright on the way. Pure integer arithmetic on
 * WebAssembly SIMD, so that every host gives the same bytes.
 *
 * The filter is the triangle, see triangle.ts. The two axes are done one after the other: each source row is squeezed to
 * the target's width, then added into the target rows that it touches, so that working memory depends on the target and
 * on the source's width only.
 */
import { type Codec, CodecSlot, exported } from './codec.ts';
import type { Orientation } from './exif.ts';
import { MAX_IDLE_GROWTH_BYTES } from './limits.ts';
import { bytesPerPixel, type PixelLayout, type Raster, type RasterShape, type Size } from './raster.ts';
import { type Job, type JobSizes, type Placement, planJob } from './resize-job.ts';

/** Takes the next row as stored, width × (3 or 4) bytes in the picture's layout; it is copied. */
export type PushRow = (row: Uint8Array) => void;

/**
 * Results are size.height × size.width × 3 bytes, RGB, rows from the top, upright; the aspect ratio is ignored.
 * Transparency is blended over white before filtering, so that hidden colours don't bleed; CMYK is multiplied out
 * (R = C·K / 255 on inverted inks, the common conversion without a colour profile).
 */
export interface Resizer {
  /** @param orientation EXIF orientation of the stored picture; 5–8 swap its sides. */
  resize(source: Raster, orientation: Orientation, size: Size): Uint8Array;
  /**
   * The same for a picture that comes row by row: `feed` pushes all of them, from the top, and may pause in between.
   *
   * @throws RangeError when it pushes more or fewer, or one of another length; whatever `feed` throws.
   */
  resizeRows(
    source: RasterShape,
    orientation: Orientation,
    size: Size,
    feed: (push: PushRow) => Promise<void>,
  ): Promise<Uint8Array>;
  /** @returns bytes of WASM memory that are held between pictures. */
  memoryBytes(): number;
  /** @returns the most bytes of WASM memory so far. */
  peakMemoryBytes(): number;
}

/** As in src/wasm/resize. */
const LAYOUTS: Readonly<Record<PixelLayout, number>> = { rgb: 0, rgba: 1, 'cmyk-inverted': 2 };
const PAGE_BYTES = 65_536;

/** An instance of the kernel, with the tables of the last pair of sizes in its memory. */
interface Kernel extends Codec {
  /** Takes so many rows, which lie in the job's input. */
  readonly push: (job: number, rows: number) => number;
  job?: Job;
}

/** @param module compiled from src/wasm/resize. */
export function createResizer(module: WebAssembly.Module): Resizer {
  const slot = new CodecSlot(() => instantiate(module), MAX_IDLE_GROWTH_BYTES);
  return {
    resize: (source, orientation, size) =>
      slot.use((kernel) => {
        const job = startJob(kernel, source, orientation, size);
        pushRows(kernel, job, source.data, source.height, source.width * bytesPerPixel(source.layout));
        return resultOf(kernel, job);
      }),
    resizeRows: (source, orientation, size, feed) =>
      slot.hold(async (kernel) => {
        const job = startJob(kernel, source, orientation, size);
        const rowBytes = source.width * bytesPerPixel(source.layout);
        let rows = 0;
        await feed((row) => {
          if (row.length !== rowBytes || ++rows > source.height)
            throw new RangeError(`Row ${rows} of ${source.height} has ${row.length} bytes, not ${rowBytes}`);
          pushRows(kernel, job, row, 1, rowBytes);
        });
        if (rows !== source.height) throw new RangeError(`${rows} rows came instead of ${source.height}`);
        return resultOf(kernel, job);
      }),
    memoryBytes: () => slot.memoryBytes(),
    peakMemoryBytes: () => slot.peakMemoryBytes(),
  };
}

/** A job's fields and tables are all written before they are read, and a sum starts with its first row. */
const nothing = (): number => 0;

function instantiate(module: WebAssembly.Module): Kernel {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, usedBytes: nothing, push: exported(instance, 'push') };
}

/** Makes the kernel ready for a picture's first row; with the sizes of the picture before, its tables stay. */
function startJob(kernel: Kernel, source: RasterShape, orientation: Orientation, size: Size): Job {
  const { memory } = kernel;
  const sizes = sizesOf(source, orientation, size);
  if (kernel.job === undefined || !sameSizes(kernel.job.sizes, sizes)) {
    const { job, tables } = planJob(sizes);
    const missing = job.at.end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    for (const [at, { buffer, byteOffset, byteLength }] of tables)
      new Uint8Array(memory.buffer).set(new Uint8Array(buffer, byteOffset, byteLength), at);
    kernel.job = job;
  }
  const { job } = kernel;
  const fields = job.fields(LAYOUTS[source.layout], placement(orientation, size.width, size.height));
  new Int32Array(memory.buffer, job.at.job).set(fields);
  return job;
}

function sizesOf(source: RasterShape, orientation: Orientation, size: Size): JobSizes {
  const { width, height, covered = source } = source;
  const turned = orientation >= 5;
  return {
    source: { width, height },
    covered: { width: covered.width, height: covered.height },
    target: turned ? { width: size.height, height: size.width } : { width: size.width, height: size.height },
  };
}

function sameSizes(a: JobSizes, b: JobSizes): boolean {
  return sameSize(a.source, b.source) && sameSize(a.covered, b.covered) && sameSize(a.target, b.target);
}

function sameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}

/** Copies rows into the kernel's memory and has them taken, a block at a time. */
function pushRows(kernel: Kernel, job: Job, data: Uint8Array, rows: number, rowBytes: number): void {
  const memory = new Uint8Array(kernel.memory.buffer);
  const most = Math.floor(job.inputBytes / rowBytes);
  for (let y = 0; y < rows; y += most) {
    const count = Math.min(most, rows - y);
    memory.set(data.subarray(y * rowBytes, (y + count) * rowBytes), job.at.input);
    kernel.push(job.at.job, count);
  }
}

function resultOf({ memory }: Kernel, { at, sizes }: Job): Uint8Array {
  const { width, height } = sizes.target;
  return new Uint8Array(memory.buffer, at.output, 3 * width * height).slice();
}

/** EXIF orientation as index arithmetic, for an upright picture of width × height (CIPA DC-008, tag 0x0112). */
function placement(orientation: Orientation, width: number, height: number): Placement {
  const right = width - 1;
  const bottom = (height - 1) * width;
  const all: Record<Orientation, Placement> = {
    1: { origin: 0, perX: 1, perY: width },
    2: { origin: right, perX: -1, perY: width },
    3: { origin: bottom + right, perX: -1, perY: -width },
    4: { origin: bottom, perX: 1, perY: -width },
    5: { origin: 0, perX: width, perY: 1 },
    6: { origin: right, perX: width, perY: -1 },
    7: { origin: bottom + right, perX: -width, perY: -1 },
    8: { origin: bottom, perX: -width, perY: 1 },
  };
  return all[orientation];
}
