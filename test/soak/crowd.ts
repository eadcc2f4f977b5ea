/** Many tenants at once, which teach and predict at the same time: each gets answers of its own, and every batch counts once. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { batchOf, Mortal } from '../node/local/teaching.ts';

const PICTURE = new Uint8Array(readFileSync(join(import.meta.dirname, '../fixtures/images/grey16.png')));

function classify(mortal: Mortal, key: string): Promise<Response> {
  const headers = { 'content-type': 'image/png' };
  return mortal.call(key, '/v1/heads/pets/classify', { method: 'POST', headers, body: PICTURE });
}

/**
 * Each tenant has labels of its own: a label in another tenant's answer would show.
 * @param check hears what should hold.
 */
export async function crowd(
  tenants: number,
  batches: number,
  pictures: number,
  check: (holds: boolean, what: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-soak-'));
  const mortal = new Mortal(folder);
  await mortal.start();
  const backbone = await mortal.backbone();
  const keys: string[] = [];
  for (let t = 0; t < tenants; t++) {
    const key = await mortal.newTenant();
    for (const label of [`a-${t}`, `b-${t}`])
      await (await mortal.teach(key, 'pets', batchOf(backbone, label, 2, t + 1), label)).text();
    keys.push(key);
  }
  const Answer = z.object({ predictions: z.array(z.object({ label: z.string() })) });
  const look = async (t: number): Promise<void> => {
    const answer = await classify(mortal, keys[t]);
    check(answer.status === 200, `classify was answered ${answer.status}`);
    for (const { label } of Answer.parse(await answer.json()).predictions)
      check(label.endsWith(`-${t}`), `tenant ${t} was told of '${label}'`);
  };
  const startedAt = performance.now();
  const teaching = Array.from({ length: batches }, async (_, i) => {
    const t = i % tenants;
    const answer = await mortal.teach(
      keys[t],
      'pets',
      batchOf(backbone, `c-${t}`, 2, 1000 + i),
      `batch-${i}`,
    );
    check(answer.status === 200, `a batch was answered ${answer.status}: ${await answer.text()}`);
  });
  let next = 0;
  const looking = Array.from({ length: 16 }, async () => {
    while (next < pictures) await look(next++ % tenants);
  });
  await Promise.all([...teaching, ...looking]);
  const seconds = (performance.now() - startedAt) / 1000;
  const each = (2 * batches) / tenants;
  for (const [t, key] of keys.entries()) {
    const found = await mortal.counts(key, 'pets');
    const wanted = { [`a-${t}`]: 2, [`b-${t}`]: 2, [`c-${t}`]: each };
    check(isDeepStrictEqual(found, wanted), `tenant ${t} has ${JSON.stringify(found)}`);
  }
  await mortal.stop();
  rmSync(folder, { recursive: true, force: true });
  console.log(
    `${tenants} tenants: ${batches} batches and ${pictures} pictures at once in ${seconds.toFixed(1)} s.`,
  );
}
