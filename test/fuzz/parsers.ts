/**
 * What a picture or a head file must hold, whatever is in it: it is read or refused with an error of ours, by the same rule
 * after any other file, and within the work that its header was charged for.
 */
import { createHash } from 'node:crypto';
import { HeadwaterError } from '../../src/errors.ts';
import { readHead, score, type Head } from '../../src/head/index.ts';
import type { ImageDecoder } from '../../src/image/index.ts';
import { MAX_REQUEST_WORK_MS } from '../../worker/limits.ts';
import { newDecoder } from '../node/image/support.ts';
import { fuzzedHeadFile } from './head-files.ts';
import type { FuzzPart } from './part.ts';
import { fuzzedPicture } from './pictures.ts';
import { Random } from './random.ts';
import { headSources, longPicture, pictureSources } from './sources.ts';

const SIZE = { width: 224, height: 224 };
const NS_PER_MS = 1e6;
/** What src/image/work.ts counts between two pauses. */
const WORK_BETWEEN_PAUSES_NS = 5e6;
/** A file that is refused was read, and WebAssembly is instantiated now and then. */
const FREE_MS = 25;
/** Estimates are of another machine, and this one has other work. */
const TOLERANCE = 3;
const REPEATS = 3;

/** Of so many cases one is a head file, the others are pictures. */
const CASES_A_HEAD = 4;
/** Of so many one is whole and long, where times are compared: the others are too short to tell. */
const CASES_A_LONG_PICTURE = 50;

/** @param timed as in PictureParser. */
export async function parserPart(seed: number, timed: boolean): Promise<FuzzPart> {
  const pictures = pictureSources();
  const heads = await headSources();
  const parser = new PictureParser(timed);
  return {
    name: 'parsers',
    run: async (number) => {
      const random = new Random(seed, number);
      if (number % CASES_A_HEAD === 0) {
        const body = fuzzedHeadFile(random, random.pick(heads));
        const what = headFault(body);
        return what === undefined ? undefined : { what: `head file: ${what}`, body };
      }
      const { from, bytes: body } =
        timed && number % CASES_A_LONG_PICTURE === 1
          ? { from: 'a large flat PNG', bytes: longPicture(random) }
          : fuzzedPicture(random, pictures);
      const what = await parser.fault(body);
      return what === undefined ? undefined : { what: `made of ${from}: ${what}`, body };
    },
    close: () => Promise.resolve(),
  };
}

class TooMuchWork extends Error {}

interface Spent {
  /** Charged before it is done. */
  allowedNs: number;
  pauses: number;
}

export class PictureParser {
  readonly #timed: boolean;
  readonly #shared = newDecoder();

  /** @param timed whether to compare CPU time with the work charged: only where nothing depends on one result. */
  constructor(timed = false) {
    this.#timed = timed;
  }

  /** @returns what does not hold, undefined where all does. */
  async fault(bytes: Uint8Array): Promise<string | undefined> {
    const spent: Spent = { allowedNs: 0, pauses: 0 };
    const before = process.cpuUsage();
    const first = await outcome(this.#shared, bytes, spent);
    const ms = cpuMs(before);
    if (first.startsWith('!')) return first;
    if (spent.pauses * WORK_BETWEEN_PAUSES_NS > spent.allowedNs + WORK_BETWEEN_PAUSES_NS)
      return `${spent.pauses} pauses where ${spent.allowedNs} ns were charged`;
    const alone = await outcome(newDecoder(), bytes);
    if (alone !== first) return `'${first}' after other pictures, '${alone}' alone`;
    return this.#timed ? this.#slow(bytes, spent, ms) : undefined;
  }

  async #slow(bytes: Uint8Array, { allowedNs }: Spent, firstMs: number): Promise<string | undefined> {
    const most = FREE_MS + TOLERANCE * Math.min(allowedNs / NS_PER_MS, MAX_REQUEST_WORK_MS);
    let least = firstMs;
    for (let i = 0; least > most && i < REPEATS; i++) {
      const before = process.cpuUsage();
      await outcome(this.#shared, bytes);
      least = Math.min(least, cpuMs(before));
    }
    return least > most
      ? `${Math.round(least)} ms of CPU where ${Math.round(allowedNs / NS_PER_MS)} were charged`
      : undefined;
  }
}

/** The pixels' hash, or the error's code and message; one that begins with ! is a fault. */
async function outcome(decoder: ImageDecoder, bytes: Uint8Array, spent?: Spent): Promise<string> {
  let allowed = 0;
  const options = {
    allow: (ns: number): void => {
      if (!(ns >= 0)) throw new RangeError(`${ns} ns of work`);
      allowed += ns;
      if (allowed > MAX_REQUEST_WORK_MS * NS_PER_MS) throw new TooMuchWork('too_much_work');
      if (spent !== undefined) spent.allowedNs = allowed;
    },
    pause: (): Promise<void> => {
      if (spent !== undefined) spent.pauses++;
      return Promise.resolve();
    },
  };
  try {
    const { pixels, width, height } = await decoder.decode(bytes, SIZE, options);
    return `${width}×${height} ${createHash('sha256').update(pixels).digest('hex')}`;
  } catch (error) {
    if (error instanceof TooMuchWork) return error.message;
    return refusal(error);
  }
}

/** An error's code and message, or that it is none of ours. */
function refusal(error: unknown): string {
  if (error instanceof HeadwaterError) return `${error.code}: ${error.message}`;
  return `!${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** @returns what does not hold of a head file, undefined where all does. */
export function headFault(bytes: Uint8Array): string | undefined {
  let head: Head;
  try {
    head = readHead(bytes);
  } catch (error) {
    const text = refusal(error);
    return text.startsWith('!') ? text : undefined;
  }
  for (const scale of [0, 0.5, 6]) {
    const code = Float32Array.from({ length: head.codeLength }, (_, i) => scale * ((i * 7) % 5) * 0.25);
    try {
      const { probabilities, unknown } = score(head, code);
      const sum = probabilities.reduce((total, each) => total + each, 0);
      if (!(Math.abs(sum - 1) < 1e-3) || !Number.isFinite(unknown.score))
        return `it scores ${sum}, ${unknown.score}`;
    } catch (error) {
      return `it was taken, and does not score: ${refusal(error)}`;
    }
  }
  return undefined;
}

function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
