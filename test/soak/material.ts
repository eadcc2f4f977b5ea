/** What is taught and uploaded, and what training makes of it on this side: the trainer's code path, the Worker's files. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { STATISTICS } from '../../src/backbone/plan.ts';
import { PictureInputFields } from '../../src/head/metadata.ts';
import { readHead, score, writeHead, type Head } from '../../src/head/index.ts';
import type { DetailedMetrics } from '../../src/learn/statistics/metrics.ts';
import { trainWithMetrics, type TrainingSet } from '../../src/learn/ridge/train.ts';
import { LEARNING } from '../../trainer/learning.ts';
import type { TaughtExample } from './model.ts';
import { CODES, LABELS, PICTURES, UPLOADS } from './operations.ts';

const IMAGES = join(import.meta.dirname, '../fixtures/images');
const FILES = [
  'exif-1.jpg exif-2.jpg exif-3.jpg exif-4.jpg exif-5.jpg exif-7.jpg grey.jpg subsampled.jpg',
  'rgb.png alpha.png bit1.png grey16.png rgb16.png exif-6.png lossy.webp lossless.webp',
].flatMap((names) => names.split(' '));

/** What the codes of taught heads are made of: what a backup's row says. */
export const Origin = z.object({
  name: z.string(),
  version: z.string(),
  weightsSha256: z.string(),
  taps: z.array(z.string()),
  statistics: z.array(z.enum(STATISTICS)).exactOptional(),
  codeLength: z.int(),
  input: PictureInputFields.exactOptional(),
});
type Origin = z.infer<typeof Origin>;

export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly name: string;
}

/** A head and its file. */
export interface Trained {
  readonly sha256: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly head: Head;
  /** Where it was trained here: metrics over examples held out. */
  readonly metrics?: DetailedMetrics | null;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export class Material {
  readonly origin: Origin;
  readonly pictures: readonly Picture[];
  readonly codes: readonly { readonly bytes: Uint8Array; readonly label: string }[];
  /** In half precision, by the SHA-256 of the code or the picture. */
  readonly #known = new Map<string, Float16Array>();
  readonly #trained = new Map<string, Promise<Trained>>();

  /** @param codes CNN codes of PICTURES_SHOWN, as the Worker's embed answers them. */
  constructor(origin: Origin, codes: readonly Float32Array[]) {
    this.origin = origin;
    this.pictures = picturesShown();
    this.codes = Array.from({ length: CODES }, (_, i) => madeUpCode(i, origin.codeLength));
    for (const { bytes } of this.codes)
      this.#known.set(sha256(bytes), new Float16Array(new Uint8Array(bytes).buffer));
    for (const [i, { bytes }] of this.pictures.entries())
      this.#known.set(sha256(bytes), Float16Array.from(codes[i]));
  }

  /** The code and the picture of a number, with the label that they have at first. */
  code(i: number): TaughtExample {
    const { bytes, label } = this.codes[i];
    return { picture: sha256(bytes), label, source: 'code' };
  }

  picture(i: number): TaughtExample {
    return { picture: sha256(this.pictures[i].bytes), label: LABELS[i % LABELS.length], source: 'picture' };
  }

  /** What training makes of examples: labels by the hashes of codes and pictures. */
  trained(labels: ReadonlyMap<string, string>): Promise<Trained> {
    const pairs = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
    const name = JSON.stringify(pairs);
    const known = this.#trained.get(name);
    if (known !== undefined) return known;
    const trained = trainWithMetrics(this.#set(pairs), LEARNING).then(({ head, metrics }) => ({
      ...trainedOf(new Uint8Array(writeHead(head))),
      metrics,
    }));
    this.#trained.set(name, trained);
    return trained;
  }

  /** A head to upload. */
  upload(which: number): Promise<Trained> {
    const chosen = this.codes.slice(0, 8 + 4 * (which % UPLOADS)).map((_, i) => this.code(i));
    return this.trained(new Map(chosen.map(({ picture, label }) => [picture, label])));
  }

  #set(pairs: readonly (readonly [string, string])[]): TrainingSet {
    const { taps, statistics, codeLength, input, ...backbone } = this.origin;
    const labels = [...new Set(pairs.map(([, label]) => label))].sort();
    const codes = new Float16Array(pairs.length * codeLength);
    for (const [i, [picture]] of pairs.entries()) codes.set(this.#known.get(picture)!, i * codeLength);
    const targets = Uint16Array.from(pairs, ([, label]) => labels.indexOf(label));
    const space = {
      taps,
      ...(statistics === undefined ? {} : { statistics }),
      ...(input === undefined ? {} : { input }),
    };
    return { backbone, ...space, labels, codes, targets };
  }
}

export const picturesShown = (): Picture[] =>
  FILES.slice(0, PICTURES).map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(IMAGES, name))) }));

export const trainedOf = (bytes: Uint8Array<ArrayBuffer>): Trained => ({
  bytes,
  sha256: sha256(bytes),
  head: readHead(bytes),
});

/** What a head says of a code, labels from the most probable down. */
export function answerOf(head: Head, code: Float32Array) {
  const { probabilities, unknown } = score(head, code);
  const predictions = head.labels
    .map((label, i) => ({ label, score: probabilities[i] }))
    .sort((a, b) => b.score - a.score);
  return { predictions, unknown: { score: unknown.score, is_unknown: unknown.isUnknown } };
}

/** Numbers that tell the labels apart, but not all too well. */
function madeUpCode(i: number, length: number): { bytes: Uint8Array; label: string } {
  let state = i * 7919 + 1;
  const random = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  const label = i % LABELS.length;
  const code = Float16Array.from({ length }, () => random() + label / 9);
  return { bytes: new Uint8Array(code.buffer), label: LABELS[label] };
}
