/** What the tests of heads in three code spaces request of the Worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { Classification, Embeddings, HeadDetail } from '../../../src/api/index.ts';
import {
  callJson,
  HEADS,
  json,
  LABELS,
  openThreeSpaces,
  photo,
  type HeadName,
  type ThreeSpaces,
} from './three-spaces.ts';

export const PROBES = LABELS.flatMap((label) => [0, 1, 2].map((i) => photo('test', label, i)));
/** A space, and a head of another one. */
export const PAIRS = HEADS.flatMap((from) =>
  HEADS.filter((to) => to !== from).map((to) => [from, to] as const),
);

export const MISMATCH = { status: 409, code: 'backbone_mismatch' };
const Problem = z.looseObject({ code: z.string() });

export const post = (body: BodyInit, type = 'image/jpeg'): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': type },
  body,
});

/** A batch of codes as /v1/embed answered them. */
export const codesBatch = ({ backbone, space, base, embeddings }: Embeddings, label: string): RequestInit =>
  json({ backbone, space, base, examples: embeddings.map(({ code }) => ({ label, code })) });

/** Status and problem of an answer that must be one. */
export async function refusal(answer: Response | Promise<Response>): Promise<unknown> {
  const response = await answer;
  return { status: response.status, ...Problem.parse(await response.json()) };
}

export class Session {
  readonly folder: string;
  readonly here: ThreeSpaces;

  private constructor(folder: string, here: ThreeSpaces) {
    this.folder = folder;
    this.here = here;
  }

  static async open(): Promise<Session> {
    const folder = mkdtempSync(join(tmpdir(), 'headwater-test-'));
    return new Session(folder, await openThreeSpaces(folder));
  }

  async close(): Promise<void> {
    await this.here.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The tenant that has all heads, unless another key is given. @throws Error where it is not answered with success. */
  callJson(path: string, init?: RequestInit, key = this.here.key): Promise<unknown> {
    return callJson(this.here.worker, key, path, init);
  }

  call(path: string, init?: RequestInit, key = this.here.key): Promise<Response> {
    return this.here.worker.call(key, path, init);
  }

  /** Beside the others, and alone: which must be alike. @returns what both have answered. */
  async alike<T>(head: HeadName, task: (key: string) => Promise<T>): Promise<T> {
    const beside = await task(this.here.key);
    expect(await task(this.here.alone[head])).toEqual(beside);
    return beside;
  }

  async classify(
    key: string,
    head: string,
    body: Uint8Array<ArrayBuffer>,
    query = '',
  ): Promise<Classification> {
    return Classification.parse(await this.callJson(`/v1/heads/${head}/classify${query}`, post(body), key));
  }

  /** The head file of the current version. */
  async currentFile(key: string, head: string): Promise<Uint8Array> {
    const { version } = HeadDetail.parse(await this.callJson(`/v1/heads/${head}`, {}, key));
    const file = await this.call(`/v1/heads/${head}/versions/${version}`, {}, key);
    return new Uint8Array(await file.arrayBuffer());
  }

  /** Codes that the head is taught with. */
  async embed(head: HeadName, body: Uint8Array<ArrayBuffer>): Promise<Embeddings> {
    return Embeddings.parse(await this.callJson(`/v1/embed?encoding=base64&head=${head}`, post(body)));
  }
}
