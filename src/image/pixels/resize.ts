/**
 * Squashes a picture to given sizes with antialiasing, turning it upright on the way. Pure integer arithmetic on
 * WebAssembly SIMD, so that every host gives the same bytes.
 *
 * The filter is the triangle, see triangle.ts. The two axes are done one after the other: each source row is squeezed to
 * the target's width, then added into the target rows that it touches, so that working memory depends on the target and
 * on the source's width only.
 */
import { type Codec, CodecPool, exported } from '../memory/codec-pool.ts';
import type { Orientation } from '../exif.ts';
import { MAX_IDLE_KERNEL_BYTES } from '../limits.ts';
import {
  asStored,
  bytesPerPixel,
  type PixelLayout,
  type Raster,
  type RasterShape,
  type Size,
} from './raster.ts';
import { type Job, type JobSizes, type Placement, planJob } from './resize-job.ts';

/** Takes the next row as stored, width × (3 or 4) bytes in the picture's layout; it is copied. */
export type PushRow = (row: Uint8Array) => void;

/**
 * Results are height × width × 3 bytes, RGB, rows from the top, upright, one for each size; the aspect ratio is ignored.
 * Transparency is blended over white before filtering, so that hidden colours don't bleed; CMYK is multiplied out
 * (R = C·K / 255 on inverted inks, the common conversion without a colour profile).
 */
export interface Resizer {
  /** @param orientation EXIF orientation of the stored picture; 5–8 swap its sides. */
  resize(source: Raster, orientation: Orientation, sizes: readonly Size[]): Uint8Array[];
  /**
   * The same for a picture that comes row by row: `feed` pushes all of them, from the top, and may pause in between.
   *
   * @throws RangeError when it pushes more or fewer, or one of another length; whatever `feed` throws.
   */
  resizeRows(
    source: RasterShape,
    orientation: Orientation,
    sizes: readonly Size[],
    feed: (push: PushRow) => Promise<void>,
  ): Promise<Uint8Array[]>;
  /** @returns bytes of WASM memory that are held between pictures. */
  memoryBytes(): number;
  /** @returns the most bytes of WASM memory so far. */
  peakMemoryBytes(): number;
}

/** As in resize.as.ts. */
const LAYOUTS: Readonly<Record<PixelLayout, number>> = { rgb: 0, rgba: 1, 'cmyk-inverted': 2 };
const PAGE_BYTES = 65_536;

/** An instance of the kernel, with the tables of the last picture's jobs in its memory. */
interface Kernel extends Codec {
  /** Takes so many rows, which lie in the job's input. */
  readonly push: (job: number, rows: number) => number;
  jobs: readonly Job[];
}

/** @param module compiled from resize.as.ts. */
export function createResizer(module: WebAssembly.Module): Resizer {
  const pool = new CodecPool(() => instantiate(module), MAX_IDLE_KERNEL_BYTES);
  return {
    resize: (source, orientation, sizes) =>
      pool.use((kernel) => {
        startJobs(kernel, source, orientation, sizes);
        pushRows(kernel, source.data, source.height, source.width * bytesPerPixel(source.layout));
        return resultsOf(kernel);
      }),
    resizeRows: (source, orientation, sizes, feed) =>
      pool.hold(async (kernel) => {
        startJobs(kernel, source, orientation, sizes);
        const rowBytes = source.width * bytesPerPixel(source.layout);
        let rows = 0;
        await feed((row) => {
          if (row.length !== rowBytes || ++rows > source.height)
            throw new RangeError(`Row ${rows} of ${source.height} has ${row.length} bytes, not ${rowBytes}`);
          pushRows(kernel, row, 1, rowBytes);
        });
        if (rows !== source.height) throw new RangeError(`${rows} rows came instead of ${source.height}`);
        return resultsOf(kernel);
      }),
    memoryBytes: () => pool.memoryBytes(),
    peakMemoryBytes: () => pool.peakMemoryBytes(),
  };
}

function instantiate(module: WebAssembly.Module): Kernel {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, push: exported(instance, 'push'), jobs: [] };
}

/**
 * Makes the kernel ready for a picture's first row; with the sizes of the picture before, its tables stay. Nothing else does: a job's
 * fields are all written here, and a sum starts with its first row.
 */
function startJobs(
  kernel: Kernel,
  source: RasterShape,
  orientation: Orientation,
  sizes: readonly Size[],
): void {
  const wanted = sizes.map((size) => sizesOf(source, asStored(size, orientation)));
  const { jobs, memory } = kernel;
  if (jobs.length !== wanted.length || !jobs.every((job, i) => sameSizes(job.sizes, wanted[i])))
    kernel.jobs = layOutJobs(kernel, wanted);
  for (const [i, { at, fields }] of kernel.jobs.entries()) {
    const place = placement(orientation, sizes[i].width, sizes[i].height);
    new Int32Array(memory.buffer, at.job).set(fields(LAYOUTS[source.layout], place));
  }
}

/** Puts the jobs' tables into the kernel's memory, one job behind the other. */
function layOutJobs(kernel: Kernel, wanted: readonly JobSizes[]): readonly Job[] {
  const { memory } = kernel;
  // Should there be no memory for them, the old ones are gone nevertheless.
  kernel.jobs = [];
  let from = 0;
  return wanted.map((sizes) => {
    const { job, tables } = planJob(sizes, from);
    from = job.at.end;
    const missing = from - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    for (const [at, { buffer, byteOffset, byteLength }] of tables)
      new Uint8Array(memory.buffer).set(new Uint8Array(buffer, byteOffset, byteLength), at);
    return job;
  });
}

function sizesOf({ width, height, covered = { width, height } }: RasterShape, target: Size): JobSizes {
  return { source: { width, height }, covered: { width: covered.width, height: covered.height }, target };
}

function sameSizes(a: JobSizes, b: JobSizes): boolean {
  return sameSize(a.source, b.source) && sameSize(a.covered, b.covered) && sameSize(a.target, b.target);
}

function sameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}

/** Copies rows into the kernel's memory and has each job take them, a block at a time. */
function pushRows({ memory, push, jobs }: Kernel, data: Uint8Array, rows: number, rowBytes: number): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const { at, inputBytes } of jobs) {
    const most = Math.floor(inputBytes / rowBytes);
    for (let y = 0; y < rows; y += most) {
      const count = Math.min(most, rows - y);
      bytes.set(data.subarray(y * rowBytes, (y + count) * rowBytes), at.input);
      push(at.job, count);
    }
  }
}

function resultsOf({ memory, jobs }: Kernel): Uint8Array[] {
  return jobs.map(({ at, sizes: { target } }) =>
    new Uint8Array(memory.buffer, at.output, 3 * target.width * target.height).slice(),
  );
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
