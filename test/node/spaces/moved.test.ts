/** A head that the command line moves to another backbone on the real Worker, and its version of before in the shadow. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeadDetail, Rebase, Routing } from '../../../src/api/index.ts';
import { readHead } from '../../../src/head/index.ts';
import { headwater } from '../trainer/workspace.ts';
import { PROBES, Session } from './session.ts';
import { json, batch, SPACES } from './three-spaces.ts';

let session: Session;
beforeAll(async () => {
  session = await Session.open();
});
afterAll(() => session?.close());

const rebase = (...more: string[]) => {
  const { worker, key } = session.here;
  const remote = ['--url', worker.url.origin, '--key', key];
  return headwater(['rebase', 'old', ...more, ...remote], { cwd: session.folder });
};

const answers = (version: number) =>
  Promise.all(
    PROBES.map(async (body) => {
      const { predictions } = await session.classify(session.here.key, 'old', body, `?version=${version}`);
      return predictions;
    }),
  );

describe('headwater rebase', () => {
  it('gives a move up, moves the head, and goes on where it is done', async () => {
    const before = await answers(1);
    await session.callJson('/v1/heads/old/rebase', { method: 'POST' });
    const given = await rebase('--give-up');
    expect(given.stdout, given.stderr).toBe('old stays as it was.\n');
    const moved = await rebase();
    expect(moved.code, moved.stderr).toBe(0);
    expect(moved.stdout).toContain(`old was moved to the codes of ${SPACES.edge.backbone}`);
    expect(moved.stdout).toMatch(/before +1 +16 +[\d.]+ +[\d.]+\nafter +2 +16 /);
    const again = await rebase('--json');
    expect(Rebase.parse(JSON.parse(again.stdout))).toMatchObject({ state: 'done', after: { version: 2 } });
    expect(await answers(1)).toEqual(before);
    // The same photos, taught in the new space from the start, make the same head.
    const [old, edge] = await Promise.all(
      ['old', 'edge'].map((head) => session.currentFile(session.here.key, head)),
    );
    expect(old).toEqual(edge);
    expect(readHead(old).input).toEqual(SPACES.edge.input);
  });

  it('leaves a version that is compared in the shadow, in its own space', async () => {
    await session.callJson('/v1/heads/old/shadow', json({ version: 1 }, 'PUT'));
    const [before, after] = [await answers(1), await answers(2)];
    const wanted = after.filter(([first], i) => first.label !== before[i][0].label).length;
    for (const body of PROBES) {
      const { version, predictions } = await session.classify(session.here.key, 'old', body);
      expect(version).toBe(2);
      expect(predictions).toEqual(after[PROBES.indexOf(body)]);
    }
    await expect
      .poll(async () => Routing.parse(await session.callJson('/v1/heads/old/routing')).shadow, {
        timeout: 60_000,
      })
      .toEqual({ version: 1, requests: PROBES.length, disagreements: wanted });
  });

  it('leaves a head that learns on in the new space, whichever version answers', async () => {
    await session.callJson('/v1/heads/old/versions/1/activate', { method: 'POST' });
    await session.callJson('/v1/heads/old/teach', { method: 'POST', body: batch(1, 12) });
    const { version } = HeadDetail.parse(await session.callJson('/v1/heads/old'));
    expect(version).toBe(3);
    const { backbone } = readHead(await session.currentFile(session.here.key, 'old'));
    expect(backbone.name).toBe(SPACES.edge.backbone);
  });
});
