/** Teaching at the edge end to end: the head is the trainer's own, byte for byte, whatever the order and the batches. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { photos, TRASHNET } from '../photos.ts';
import { headwater, temporaryFolder } from '../trainer/workspace.ts';
import { Mortal, TaughtAnswer } from './teaching.ts';

const form = (label: string, paths: readonly string[]): FormData => {
  const data = new FormData();
  for (const path of paths) data.append(label, new Blob([readFileSync(path)]), path);
  return data;
};

describe('trashnet', () => {
  let worker: Mortal;
  beforeAll(async () => {
    worker = new Mortal();
    await worker.start();
  });
  afterAll(() => worker.stop());

  test('headwater teach makes the head that headwater train makes', async () => {
    const cwd = temporaryFolder();
    const key = await worker.newTenant();
    const train = join(TRASHNET, 'train');
    const remote = ['--url', worker.url.origin, '--key', key];
    const taught = await headwater(['teach', train, '--head', 'trash', ...remote, '--json'], { cwd });
    expect(taught.code, taught.stderr).toBe(0);
    const { answer } = z.object({ answer: TaughtAnswer }).parse(JSON.parse(taught.stdout));
    expect(answer.examples).toBe(180);
    const file = join(cwd, 'taught.safetensors');
    const download = await worker.call(key, `/v1/heads/trash/versions/${answer.version}`);
    writeFileSync(file, new Uint8Array(await download.arrayBuffer()));

    const own = join(cwd, 'own.safetensors');
    const options = ['--strategy', 'linear-all', '--no-report'];
    const trained = await headwater(['train', train, '--out', own, ...options], { cwd });
    expect(trained.code, trained.stderr).toBe(0);
    expect(readFileSync(file).equals(readFileSync(own))).toBe(true);

    const judged = await headwater(['eval', join(TRASHNET, 'test'), '--head', file, '--json'], { cwd });
    expect(judged.code, judged.stderr).toBe(0);
    const { accuracy } = z.object({ accuracy: z.number() }).parse(JSON.parse(judged.stdout));
    expect(accuracy).toBeGreaterThanOrEqual(0.75);
  });

  test('a class works when the answer returns, and is gone when it is forgotten', async () => {
    const key = await worker.newTenant();
    const labels: string[][] = [];
    for (const label of ['glass', 'paper', 'metal']) {
      const body = form(label, photos('train', label, 10));
      const answer = await worker.call(key, '/v1/heads/trash/teach', { method: 'POST', body });
      const { version } = TaughtAnswer.parse(await answer.json());
      if (version !== undefined) labels.push(await labelsOf(key));
    }
    expect(labels).toEqual([
      ['glass', 'paper'],
      ['glass', 'metal', 'paper'],
    ]);
    const gone = await worker.call(key, '/v1/heads/trash/classes/glass', { method: 'DELETE' });
    expect(gone.status).toBe(200);
    expect(await labelsOf(key)).toEqual(['metal', 'paper']);
  });

  async function labelsOf(key: string): Promise<string[]> {
    const [photo] = photos('train', 'paper').slice(-1);
    const headers = { 'content-type': 'image/jpeg' };
    const init = { method: 'POST', headers, body: new Uint8Array(readFileSync(photo)) };
    const answer = await worker.call(key, '/v1/heads/trash/classify', init);
    const Answer = z.object({ predictions: z.array(z.object({ label: z.string() })) });
    return Answer.parse(await answer.json())
      .predictions.map(({ label }) => label)
      .sort();
  }
});
