/** What a version says about itself, and putting a wrong label right. */
import { describe, expect, it } from 'vitest';
import type { ExampleList, Taught } from '../../src/api/index.ts';
import type { VersionReport } from '../../src/api/report.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { BACKBONE, SPACE } from './batches.ts';
import { Isolate, problemOf } from './support.ts';

const { engine } = runtime;
const EACH = 6;

const isolate = new Isolate();

/** Codes around one of two places that are far apart. */
function codes(label: string, place: 0 | 1, count: number): { label: string; code: number[] }[] {
  let state = 7 + place;
  const random = () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  return Array.from({ length: count }, () => ({
    label,
    code: Array.from({ length: engine.codeLength }, (_, d) => ((d + place) % 2) * 2 + random()),
  }));
}

/** Cats and dogs, and one cat that someone called a dog. */
async function teachWithOneWrong(key: string): Promise<Taught> {
  const cats = codes('cat', 0, EACH + 1);
  const wrong = { ...cats[EACH], label: 'dog' };
  const examples = [...cats.slice(0, EACH), ...codes('dog', 1, EACH), wrong];
  const answer = await isolate.call('/v1/heads/pets/teach', {
    key,
    json: { backbone: BACKBONE, space: SPACE, examples },
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return answer.json();
}

async function reportOf(key: string, version: number): Promise<VersionReport> {
  const answer = await isolate.call(`/v1/heads/pets/versions/${version}/report`, { key });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return answer.json();
}

const relabel = (key: string, id: string, json: object) =>
  isolate.call(`/v1/heads/pets/examples/${id}`, { key, method: 'PATCH', json });

describe('report', () => {
  it('counts every example, and finds the one with the wrong label', async () => {
    const { key } = await isolate.newTenant();
    const { version = 0, leave_one_out: metrics } = await teachWithOneWrong(key);
    const report = await reportOf(key, version);
    expect(report).toMatchObject({ head: 'pets', version, labels: ['cat', 'dog'] });
    expect(report.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(2 * EACH + 1);
    expect(report.confusion[0][0] + report.confusion[1][1]).toBe(
      Math.round((metrics?.accuracy ?? 0) * (2 * EACH + 1)),
    );
    expect(report.reliability.reduce((sum, { count }) => sum + count, 0)).toBe(2 * EACH + 1);
    expect(report.hardest[0]).toMatchObject({ label: 'dog', predicted: 'cat' });
    expect(report.hardest[0].label_probability).toBeLessThan(0.5);
  });

  it('puts the label right: the next version has one cat more, and nothing to look at', async () => {
    const { key } = await isolate.newTenant();
    const { version = 0 } = await teachWithOneWrong(key);
    const [wrong] = (await reportOf(key, version)).hardest;
    const answer = await relabel(key, wrong.id, { label: 'cat' });
    const after: Taught = await answer.json();
    expect(after.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ['cat', EACH + 1],
      ['dog', EACH],
    ]);
    expect((await reportOf(key, after.version ?? 0)).hardest).toEqual([]);
    // The old report has nothing to say of an example whose label it does not know.
    expect((await reportOf(key, version)).hardest).toEqual([]);
    const again: Taught = await (await relabel(key, wrong.id, { label: 'cat' })).json();
    expect(again.version).toBe(after.version);
  });

  it('goes with its version', async () => {
    const { key } = await isolate.newTenant();
    const { version = 0 } = await teachWithOneWrong(key);
    const [wrong] = (await reportOf(key, version)).hardest;
    await isolate.call(`/v1/heads/pets/examples/${wrong.id}`, { key, method: 'DELETE' });
    const gone = await isolate.call(`/v1/heads/pets/versions/${version}/report`, { key });
    expect(await problemOf(gone)).toMatchObject({ status: 404, code: 'version_not_found' });
  });

  it('refuses labels and examples that are not there, in words', async () => {
    const { key } = await isolate.newTenant();
    await teachWithOneWrong(key);
    const list: ExampleList = await (await isolate.call('/v1/heads/pets/examples', { key })).json();
    const { id } = list.examples[0];
    expect(await problemOf(await relabel(key, id, { label: 'cow' }))).toMatchObject({
      code: 'class_not_found',
    });
    expect(await problemOf(await relabel(key, 'none', { label: 'cat' }))).toMatchObject({
      code: 'example_not_found',
    });
    expect(await problemOf(await relabel(key, id, { name: 'cat' }))).toMatchObject({
      code: 'invalid_request',
    });
    const other = await isolate.newTenant();
    expect(await problemOf(await relabel(other.key, id, { label: 'cat' }))).toMatchObject({ status: 404 });
  });
});
