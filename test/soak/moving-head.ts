/** A head that is being moved, a record of what it was taught, and what of the service must agree with the record. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Classification, Embeddings, HeadDetail, Rebase } from '../../src/api/index.ts';
import { readHead, writeHead } from '../../src/head/index.ts';
import { trainWithMetrics } from '../../src/learn/ridge/train.ts';
import { codesRead } from '../../src/learn/training-set.ts';
import { LEARNING } from '../../trainer/learning.ts';
import type { Mortal } from '../node/local/teaching.ts';
import { NEW, OLD, queryOf, type Space } from '../node/local/two-defaults.ts';
import { photos } from '../node/photos.ts';

/** Of pictures at once, in one request. */
const PAGE = 32;
/** How long the alarm may take. */
const POLL_MS = 250;
const POLLS = 240;
export const LABELS = ['glass', 'paper'] as const;
export type Label = (typeof LABELS)[number];

const FILES = { glass: photos('train', 'glass'), paper: photos('train', 'paper') };
const PROBES = [photos('test', 'glass', 1)[0], photos('test', 'paper', 1)[0]].map(readPhoto);

function readPhoto(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}

/** A photo with a comment of four bytes, so that each number is a picture of its own. */
export function photo(label: Label, number: number): Uint8Array<ArrayBuffer> {
  const bytes = readPhoto(FILES[label][number % FILES[label].length]);
  const comment = [0xff, 0xfe, 0, 4, number >> 8, number & 255];
  return Uint8Array.from([...bytes.subarray(0, 2), ...comment, ...bytes.subarray(2)]);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Looks again where a version went meanwhile: after a kill it is the alarm that forgets. */
async function eventually(look: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await look();
    } catch (error) {
      if (!String(error).includes('404') || attempt === POLLS) throw error;
      await wait(POLL_MS);
    }
  }
}

export class MovingHead {
  readonly name: string;
  /** What it was taught and has not forgotten: label and bytes by SHA-256. */
  readonly record = new Map<string, { label: Label; bytes: Uint8Array<ArrayBuffer> }>();
  readonly #key: string;
  readonly #check: (holds: boolean, what: string) => void;
  /** What each version has answered to the probes. */
  readonly #answers = new Map<number, string>();
  #done = 0;

  constructor(name: string, key: string, check: (holds: boolean, what: string) => void) {
    this.name = name;
    this.#key = key;
    this.#check = (holds, what) => check(holds, `${name}: ${what}`);
  }

  /** What was forgotten takes its codes with it. */
  forgot(picture: string): void {
    this.record.delete(picture);
    this.#done = Math.max(0, this.#done - 1);
  }

  async progress(worker: Mortal): Promise<Rebase> {
    return Rebase.parse(await this.#json(worker, `/v1/heads/${this.name}/rebase`));
  }

  /**
   * Nothing is lost, no state lies between the old and the new, and every version answers as it always did.
   * @param usual the default of what is deployed.
   */
  async verify(worker: Mortal, usual = NEW): Promise<Rebase> {
    const counts: Record<string, number> = {};
    for (const { label } of this.record.values()) counts[label] = (counts[label] ?? 0) + 1;
    const found = await worker.counts(this.#key, this.name);
    this.#check(isDeepStrictEqual(found, counts), `${JSON.stringify(found)}, not ${JSON.stringify(counts)}`);
    const progress = await this.progress(worker);
    this.#check(progress.total === this.record.size, `${progress.total} of ${this.record.size} examples`);
    this.#check(progress.missing_pictures === 0, `${progress.missing_pictures} pictures are missing`);
    this.#check(progress.done >= this.#done, `${progress.done} codes, after ${this.#done}`);
    if (progress.state === 'under_way') this.#done = progress.done;
    await eventually(async () => {
      const { version: current, versions } = await this.#detail(worker);
      const { backbone } = readHead(await this.#file(worker, current));
      const wanted = progress.state === 'done' ? usual : OLD;
      this.#check(backbone.name === wanted.backbone, `${backbone.name} answers, and it is ${progress.state}`);
      for (const { version } of versions) await this.#sameAnswer(worker, version);
    });
    return progress;
  }

  /** A head that was moved is, in both spaces, what its examples give. @param late taught at the moment of the switch. */
  async verifyMoved(worker: Mortal, late: readonly string[]): Promise<void> {
    await this.verifyCurrent(worker);
    const { before } = await this.progress(worker);
    const { versions } = await this.#detail(worker);
    const old = before?.version ?? 0;
    const all = [...this.record.keys()];
    const possible = [all, all.filter((picture) => !late.includes(picture))].map((pictures) =>
      this.#trained(worker, old, OLD, pictures),
    );
    const known = versions.find(({ version }) => version === old)?.sha256 ?? '';
    this.#check(
      (await Promise.all(possible)).includes(known),
      `version ${old}, of before, is not what its examples give`,
    );
  }

  /** The version that answers is what all examples give in the new space. */
  async verifyCurrent(worker: Mortal): Promise<void> {
    const { version: current, versions } = await this.#detail(worker);
    const wanted = await this.#trained(worker, current, NEW, [...this.record.keys()]);
    const known = versions.find(({ version }) => version === current)?.sha256;
    this.#check(known === wanted, `version ${current} is not what its examples give`);
  }

  async #sameAnswer(worker: Mortal, version: number): Promise<void> {
    const headers = { 'content-type': 'image/jpeg' };
    const said = await Promise.all(
      PROBES.map(async (body) => {
        const path = `/v1/heads/${this.name}/classify?version=${version}`;
        return Classification.parse(await this.#json(worker, path, { method: 'POST', headers, body }));
      }),
    );
    const now = JSON.stringify(said.map(({ predictions, unknown }) => [predictions, unknown]));
    const before = this.#answers.get(version) ?? now;
    this.#check(now === before, `version ${version} answers ${now}, not ${before}`);
    this.#answers.set(version, before);
  }

  /** The hash of the file that pictures give in a space, trained on this side. @param version says what it reads. */
  async #trained(
    worker: Mortal,
    version: number,
    space: Space,
    pictures: readonly string[],
  ): Promise<string> {
    const read = codesRead(readHead(await this.#file(worker, version)));
    this.#check(read.backbone.name === space.backbone, `version ${version} is of ${read.backbone.name}`);
    const codes: Float16Array[] = [];
    for (let from = 0; from < pictures.length; from += PAGE)
      codes.push(...(await this.#codes(worker, space, pictures.slice(from, from + PAGE))));
    const all = new Float16Array(codes.reduce((sum, { length }) => sum + length, 0));
    for (const [i, code] of codes.entries()) all.set(code, i * code.length);
    const targets = pictures.map((picture) => LABELS.indexOf(this.record.get(picture)?.label ?? 'glass'));
    const set = { ...read, labels: [...LABELS], codes: all, targets: Uint16Array.from(targets) };
    return sha256(new Uint8Array(writeHead((await trainWithMetrics(set, LEARNING)).head)));
  }

  async #codes(worker: Mortal, space: Space, pictures: readonly string[]): Promise<Float16Array[]> {
    const body = new FormData();
    for (const picture of pictures)
      body.append('image', new Blob([this.record.get(picture)?.bytes ?? '']), 'photo');
    const path = `/v1/embed?encoding=base64&${queryOf(space)}`;
    const { embeddings } = Embeddings.parse(await this.#json(worker, path, { method: 'POST', body }));
    return embeddings.map(
      ({ code }) => new Float16Array(new Uint8Array(Buffer.from(String(code), 'base64')).buffer),
    );
  }

  async #detail(worker: Mortal): Promise<HeadDetail> {
    return HeadDetail.parse(await this.#json(worker, `/v1/heads/${this.name}`));
  }

  async #file(worker: Mortal, version: number): Promise<Uint8Array> {
    const answer = await worker.call(this.#key, `/v1/heads/${this.name}/versions/${version}`);
    if (!answer.ok) throw new Error(`Version ${version} of ${this.name}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  async #json(worker: Mortal, path: string, init?: RequestInit): Promise<unknown> {
    const answer = await worker.call(this.#key, path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
}
