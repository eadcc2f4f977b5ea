/** The main job end to end: photos → head → Worker on local workerd → answers, which must be the trainer's own. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import { OTHERS, photos, TRASHNET } from '../photos.ts';
import { headwater, temporaryFolder } from '../trainer/workspace.ts';

const ADMIN_SECRET = 'a secret for this test';

const Trained = z.object({
  leave_one_out: z.object({ accuracy: z.number() }),
  test: z.object({ accuracy: z.number(), log_loss: z.number() }),
});
const Answer = z.object({
  predictions: z.array(z.object({ label: z.string(), score: z.number() })).min(1),
  unknown: z.object({ score: z.number(), is_unknown: z.boolean() }),
});
const Answers = z.object({ results: z.array(Answer.extend({ picture: z.string() })) });

describe('trashnet', () => {
  let worker: LocalWorker;
  let key: string;
  beforeAll(async () => {
    worker = await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET });
    const answer = await fetch(new URL('/v1/tenants', worker.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'first light' }),
    });
    ({ key } = z.object({ key: z.string() }).parse(await answer.json()));
  });
  afterAll(() => worker.close());

  test('a head trained on folders is good, and the Worker answers as the trainer does', async () => {
    const cwd = temporaryFolder();
    const file = join(cwd, 't.safetensors');
    const trained = await headwater(
      [
        'train',
        join(TRASHNET, 'train'),
        '--test',
        join(TRASHNET, 'test'),
        '--out',
        file,
        '--strategy',
        'linear-all',
        '--no-report',
        '--json',
      ],
      { cwd },
    );
    expect(trained.code, trained.stderr).toBe(0);
    const { leave_one_out: leftOut, test: metrics } = Trained.parse(JSON.parse(trained.stdout));
    // Measured: 0.789 of 90, said 0.717 of 180 beforehand (a standard error of 0.055 between them), log-loss 0.70.
    expect(metrics.accuracy).toBeGreaterThanOrEqual(0.75);
    expect(Math.abs(leftOut.accuracy - metrics.accuracy)).toBeLessThanOrEqual(0.11);
    expect(metrics.log_loss).toBeLessThanOrEqual(0.8);

    const remote = ['--url', worker.url.origin, '--key', key];
    const pushed = await headwater(['push', file, '--head', 'trash', ...remote], { cwd });
    expect(pushed.code, pushed.stderr).toBe(0);
    const known = readdirSync(join(TRASHNET, 'test')).flatMap((label) => photos('test', label));
    expect(known).toHaveLength(90);
    const all = [...known, ...OTHERS];
    const [here, there] = [
      await classify(all, ['--head', file], cwd),
      await classify(all, ['--head', 'trash', ...remote], cwd),
    ];
    expect(here.slice(known.length).every(({ unknown }) => unknown.is_unknown)).toBe(true);
    expect(here.slice(0, known.length).filter(({ unknown }) => unknown.is_unknown).length).toBeLessThan(9);
    for (const [i, local] of here.entries()) {
      const labels = (answer: z.infer<typeof Answer>) => answer.predictions.map(({ label }) => label);
      expect(labels(there[i])).toEqual(labels(local));
      for (const [j, { score }] of local.predictions.entries()) {
        expect(Math.abs(there[i].predictions[j].score - score)).toBeLessThanOrEqual(1e-4);
      }
      expect(there[i].unknown.is_unknown).toBe(local.unknown.is_unknown);
    }

    const [photo] = known;
    const enlarged = (width: number, height: number) => sharp(photo).resize(width, height, { fit: 'fill' });
    const jpeg = await post(await enlarged(4000, 3000).jpeg({ quality: 90 }).toBuffer());
    const png = await post(await enlarged(4000, 3000).png({ compressionLevel: 1 }).toBuffer());
    // About the largest WebP that the Worker reads.
    const webp = await post(await enlarged(2800, 2100).webp({ quality: 90 }).toBuffer());
    expect([webp, png]).toEqual([jpeg, jpeg]);
  });

  async function post(body: Uint8Array<ArrayBuffer>): Promise<string> {
    const answer = await fetch(new URL('/v1/heads/trash/classify', worker.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/octet-stream' },
      body,
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    return Answer.parse(JSON.parse(text)).predictions[0].label;
  }
});

async function classify(
  paths: readonly string[],
  head: readonly string[],
  cwd: string,
): Promise<z.infer<typeof Answer>[]> {
  const run = await headwater(['classify', ...paths, ...head, '--json'], { cwd });
  expect(run.code, run.stderr).toBe(0);
  return Answers.parse(JSON.parse(run.stdout)).results;
}
