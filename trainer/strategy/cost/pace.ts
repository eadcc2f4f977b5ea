/**
 * How fast this machine is now, measured on a few of the pictures: estimates from plans are of another machine, and
 * others may be at work on this one. What a run announces is reckoned with it.
 */
import { performance } from 'node:perf_hooks';
import type { DataSet } from '../../datasets/dataset.ts';
import { FileError } from '../../cli/failure.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import { readPictureFile } from '../../codes/picture-file.ts';
import type { Reading } from '../../reading.ts';
import { loadRuntime, type Runtime } from '../../runtime.ts';
import { codeMs } from './edge.ts';

export interface Pace {
  /** Reading and decoding one of the data's pictures, ms. */
  readonly decodeMs: number;
  /** What takes a millisecond by the estimates takes so many here. */
  readonly slowness: number;
}

/**
 * Announced times are so many times what was measured: threads get in each other's way, and other programs come and go.
 */
export const MARGIN = 2;

/** Where no picture can be read: a photo's, on the machine of the estimates. */
const USUAL: Pace = { decodeMs: 15, slowness: 1 };
/** Pictures, evenly over the data set, looked at again and again for so long: a machine that is busy takes turns. */
const SAMPLE = 12;
const MILLISECONDS = 800;
/** The first ones only warm the machine's code up. */
const WARMING = 4;

/** Takes about a second. @param reading what the network is timed with. */
export async function measurePace({ pictures }: DataSet, reading: Reading): Promise<Pace> {
  const { weightsSha256 } = reading.backbone.plan;
  const runtime = await loadRuntime({ weightsSha256, input: reading.input });
  const stride = Math.max(1, Math.floor(pictures.length / SAMPLE));
  const sample = pictures.filter((_, i) => i % stride === 0).slice(0, SAMPLE);
  const end = performance.now() + MILLISECONDS;
  const times: Times[] = [];
  for (let i = 0; i < sample.length || (times.length > 0 && performance.now() < end); i++) {
    const taken = await timesOf(sample[i % sample.length].path, runtime);
    if (taken !== undefined) times.push(taken);
  }
  const counted = times.slice(Math.min(WARMING, times.length - 1));
  if (counted.length === 0) return USUAL;
  const [decodeMs, networkMs] = [meanOf(counted, 'decodeMs'), meanOf(counted, 'networkMs')];
  return { decodeMs, slowness: networkMs / codeMs(reading.backbone) };
}

interface Times {
  readonly decodeMs: number;
  readonly networkMs: number;
}

/** @returns undefined where the picture cannot be used. */
async function timesOf(path: string, { decoder, input, codeOf }: Runtime): Promise<Times | undefined> {
  try {
    const start = performance.now();
    const { bytes } = await readPictureFile(path);
    const { pixels } = await decoder.decode(bytes, input);
    const decoded = performance.now();
    codeOf(pixels);
    return { decodeMs: decoded - start, networkMs: performance.now() - decoded };
  } catch (error) {
    if (error instanceof HeadwaterError || error instanceof FileError) return undefined;
    throw error;
  }
}

function meanOf(times: readonly Times[], key: keyof Times): number {
  return times.reduce((sum, each) => sum + each[key], 0) / times.length;
}
