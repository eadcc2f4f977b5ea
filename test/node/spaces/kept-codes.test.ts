/** Codes that are kept or come in, of heads of two backbones and two sizes: those of one space are never taken for another's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackupRow, ExampleList, HeadDetail, ReviewQueue, Taught } from '../../../src/api/index.ts';
import { readHead, writeHead } from '../../../src/head/index.ts';
import { codesBatch, MISMATCH, PAIRS, post, PROBES, refusal, Session } from './session.ts';
import { HEADS, json, batch, photo, SPACES, type HeadName } from './three-spaces.ts';

type Origin = Extract<BackupRow, { row: 'taught' }>['origin'];

let session: Session;
beforeAll(async () => {
  session = await Session.open();
  // The trainer's head has examples here from now on.
  await session.callJson('/v1/heads/large/teach', { method: 'POST', body: batch(2, 10) });
});
afterAll(() => session?.close());

describe('a batch', () => {
  it.each(PAIRS)("codes of %s are refused in %s's batches", async (from, to) => {
    const batch = codesBatch(await session.embed(from, PROBES[0]), 'glass');
    const answer = session.call(`/v1/heads/${to}/teach`, batch);
    expect(await refusal(answer)).toMatchObject(MISMATCH);
  });
});

/** A version to which every picture is unknown, so that it is kept; read from a file of another space or of its own. */
async function wonder(key: string, head: HeadName, file: Uint8Array): Promise<string> {
  const its = readHead(file);
  const body = new Uint8Array(writeHead({ ...its, novelty: { ...its.novelty, threshold: -1e6 } }));
  await session.callJson(`/v1/heads/${head}/settings`, json({ capture: true }, 'PUT'), key);
  await session.callJson(`/v1/heads/${head}`, { method: 'PUT', body }, key);
  const { id } = await session.classify(key, head, photo('test', 'glass', 5));
  if (id === undefined) expect.fail('the prediction was not kept');
  await expect
    .poll(async () => {
      const { items } = ReviewQueue.parse(await session.callJson(`/v1/heads/${head}/review`, {}, key));
      return items.map((item) => item.id);
    })
    .toContain(id);
  return id;
}

describe('predictions that wait for review', () => {
  it.each(['old', 'edge'] as const)('become examples of %s, which made them', async (head) => {
    const before = await exampleCount(session.here.key, head);
    await session.alike(head, async (key) => {
      const id = await wonder(key, head, await session.currentFile(key, head));
      const said = json({ id, label: 'glass' });
      const feedback = await session.callJson(`/v1/heads/${head}/feedback`, said, key);
      const { examples, classes } = Taught.parse(feedback);
      return { examples, classes };
    });
    expect(await exampleCount(session.here.key, head)).toBe(before + 1);
    await sameCurrent(head);
  });

  it.each(PAIRS.filter(([, to]) => to !== 'large'))(
    'of a version in the space of %s are no examples of %s',
    async (from, to) => {
      const before = await exampleCount(session.here.key, to);
      const { version } = HeadDetail.parse(await session.callJson(`/v1/heads/${to}`));
      const id = await wonder(
        session.here.key,
        to,
        await session.currentFile(session.here.alone[from], from),
      );
      const path = `/v1/heads/${to}/feedback`;
      const answer = session.call(path, json({ id, label: 'glass' }));
      expect(await refusal(answer)).toMatchObject(MISMATCH);
      const other = `/v1/heads/${from}/feedback`;
      expect(await refusal(session.call(other, json({ id, label: 'glass' })))).toMatchObject({
        status: 404,
        code: 'prediction_not_found',
      });
      expect(await exampleCount(session.here.key, to)).toBe(before);
      await session.callJson(`/v1/heads/${to}/versions/${version}/activate`, { method: 'POST' });
    },
  );
});

async function exampleCount(key: string, head: string): Promise<number> {
  const list = await session.callJson(`/v1/heads/${head}/examples?limit=500`, {}, key);
  return ExampleList.parse(list).examples.length;
}

async function sameCurrent(head: HeadName): Promise<void> {
  expect(await session.currentFile(session.here.key, head)).toEqual(
    await session.currentFile(session.here.alone[head], head),
  );
}

const restored = async (body: string): Promise<[string, Response]> => {
  const key = await session.here.worker.newTenant();
  return [key, await session.here.worker.call(key, '/v1/restore', post(body, 'application/x-ndjson'))];
};
const backup = async (): Promise<string> => (await session.call('/v1/backup')).text();

/** The backup with the space of one head's examples said otherwise. */
const mixed = async (head: HeadName, change: (origin: Origin) => object): Promise<unknown> => {
  const rows = (await backup())
    .trimEnd()
    .split('\n')
    .map((line) => BackupRow.parse(JSON.parse(line)))
    .map((row) =>
      row.row === 'taught' && row.head === head
        ? { ...row, origin: { ...row.origin, ...change(row.origin) } }
        : row,
    );
  const [, answer] = await restored(rows.map((row) => JSON.stringify(row)).join('\n'));
  return refusal(answer);
};

describe('a backup of heads in three spaces', () => {
  it('comes back as it was, and each goes on learning in its space', async () => {
    const [key, answer] = await restored(await backup());
    expect(answer.status, await answer.clone().text()).toBe(200);
    for (const head of HEADS) {
      expect(await session.currentFile(key, head)).toEqual(await session.currentFile(session.here.key, head));
      for (const picture of PROBES)
        expect((await session.classify(key, head, picture)).predictions).toEqual(
          (await session.classify(session.here.key, head, picture)).predictions,
        );
      const taught = await Promise.all(
        [key, session.here.key].map((its) =>
          session.callJson(`/v1/heads/${head}/teach`, { method: 'POST', body: batch(1, 20) }, its),
        ),
      );
      expect(taught.map((each) => Taught.parse(each).added)).toEqual([2, 2]);
      expect(await session.currentFile(key, head)).toEqual(await session.currentFile(session.here.key, head));
    }
  });

  it('whose examples say another space is refused', async () => {
    // Taught on top of the trainer's head, they must be of its size.
    const { edge } = SPACES;
    expect(await mixed('large', () => ({ input: edge.input }))).toMatchObject(MISMATCH);
    // None of its backbone: a size at which it is not run, other taps, other weights.
    for (const head of ['old', 'edge'] as const) {
      const [wrong, other] = [
        { height: 176, width: 176, rules: 2 },
        head === 'old' ? 'edge' : 'old',
      ] as const;
      const { backbone } = readHead(await session.currentFile(session.here.key, other));
      expect(await mixed(head, () => ({ input: wrong }))).toMatchObject(MISMATCH);
      expect(await mixed(head, ({ taps }) => ({ taps: taps.toReversed() }))).toMatchObject(MISMATCH);
      expect(await mixed(head, () => backbone)).toMatchObject(MISMATCH);
    }
  });
});

describe('a head file', () => {
  it('of a size at which its backbone is not run, or of other taps, is refused', async () => {
    const head = readHead(session.here.large);
    for (const wrong of [
      { ...head, input: { height: 176, width: 176, rules: 2 as const } },
      { ...head, backbone: { ...head.backbone, weightsSha256: 'e'.repeat(64) } },
      { ...head, taps: head.taps.with(0, 'b99.mean') },
    ]) {
      const body = new Uint8Array(writeHead(wrong));
      const answer = session.call('/v1/heads/wrong', { method: 'PUT', body });
      expect(await refusal(answer)).toMatchObject({ code: 'backbone_mismatch' });
    }
  });
});
