/** Moving a head on rows and stores alone: what may come between two steps, and what a crash leaves. */
import { describe, expect, it } from 'vitest';
import { MAX_SECOND_CODES_PER_TENANT } from '../../worker/limits.ts';
import { numbers, refused } from './in-heads.ts';
import { NOW } from './in-rows.ts';
import { examples, fill, moving, NEW, OLD, OTHER, pageOf, type Parts } from './moving-rows.ts';

const finished = { progress: { state: 'done' } };

describe('between a page and its codes', () => {
  it('an example that is forgotten does not come back', () =>
    moving(async (parts) => {
      const made = await pageOf(parts);
      await parts.teaching.forget('pets', { ids: [made[0].example] });
      expect(await parts.rebasing.store('pets', NEW, made)).toMatchObject({ done: 7, total: 7 });
      expect(parts.rows.query('SELECT 1 FROM second_codes')).toHaveLength(7);
    }));

  it('another client stores the same: nothing is there twice, and no code is replaced', () =>
    moving(async (parts) => {
      const made = await pageOf(parts);
      expect(await pageOf(parts)).toEqual(made);
      await parts.rebasing.store('pets', NEW, made);
      const other = made.map(({ example }) => ({ example, fault: 'not for me' }));
      expect(await parts.rebasing.store('pets', NEW, other)).toMatchObject({ done: 8, missing_pictures: 0 });
    }));

  it('a move that was given up takes nothing; one that was finished answers', () =>
    moving(async (parts) => {
      const made = await pageOf(parts);
      await parts.rebasing.giveUp('pets', NEW);
      expect(await parts.rebasing.store('pets', NEW, made)).toEqual(refused('conflict'));
      expect(parts.rows.query('SELECT 1 FROM second_codes')).toEqual([]);
      await fill(parts);
      expect(await parts.rebasing.finish('pets', NEW)).toMatchObject(finished);
      expect(await parts.rebasing.store('pets', NEW, made)).toMatchObject({ state: 'done' });
    }));

  it('a head that is deleted takes nothing, nor does the one that is taught in its place', () =>
    moving(async (parts) => {
      const made = await pageOf(parts);
      parts.rows.examples.clear('pets', NOW);
      parts.rows.heads.remove('pets', NOW);
      expect(await parts.rebasing.store('pets', NEW, made)).toEqual(refused('head_not_found'));
      const request = { origin: OLD, train: false, idempotency: undefined };
      await parts.teaching.teach('pets', { ...request, examples: examples('cat', 4) });
      expect(await parts.rebasing.store('pets', NEW, made)).toEqual(refused('conflict'));
    }));

  it('a later deployment begins anew, in its own space', () =>
    moving(async (parts) => {
      const made = await pageOf(parts);
      await fill(parts);
      expect(await parts.rebasing.page('pets', OTHER)).toMatchObject({
        progress: { done: 0, to: { name: 'other' } },
      });
      expect(parts.rows.query('SELECT origin FROM code_spaces')).toHaveLength(1);
      expect(await parts.rebasing.store('pets', NEW, made)).toEqual(refused('conflict'));
    }));
});

describe('a fault', () => {
  it('counts as a picture that is missing, until the picture is taught again', () =>
    moving(async (parts) => {
      const [bad, ...good] = await pageOf(parts);
      await parts.rebasing.store('pets', NEW, [...good, { example: bad.example, fault: 'broken' }]);
      expect(await parts.rebasing.finish('pets', NEW)).toEqual(refused('conflict'));
      expect(await parts.rebasing.page('pets', NEW)).toEqual(refused('conflict'));
      const again = [...examples('cat', 4, NEW), ...examples('dog', 4, NEW)];
      const request = { origin: OLD, train: true, idempotency: undefined, target: NEW };
      expect(await parts.teaching.teach('pets', { ...request, examples: again })).toMatchObject({
        answer: { added: 0, duplicates: 8 },
      });
      expect(parts.rebasing.look('pets', NEW)).toMatchObject({ done: 8, missing_pictures: 0 });
      expect(await parts.rebasing.finish('pets', NEW)).toMatchObject(finished);
    }));

  it('is tried once more where the move begins anew', () =>
    moving(async (parts) => {
      const made = (await pageOf(parts)).map(({ example }) => ({ example, fault: 'broken' }));
      await parts.rebasing.store('pets', NEW, made);
      await parts.rebasing.giveUp('pets', NEW);
      expect(await pageOf(parts)).toHaveLength(8);
    }));
});

describe('what is taught while a head is being moved', () => {
  const request = { origin: OLD, train: true, idempotency: undefined };

  it('comes along with both codes', () =>
    moving(async (parts) => {
      await fill(parts);
      const more = examples('emu', 3, NEW);
      await parts.teaching.teach('pets', { ...request, examples: more, target: NEW });
      expect(parts.rebasing.look('pets', NEW)).toMatchObject({ done: 11, total: 11 });
      expect(await parts.rebasing.finish('pets', NEW)).toMatchObject(finished);
      expect(parts.rows.query('SELECT label FROM examples WHERE length(code) = 12')).toHaveLength(11);
      expect(parts.rows.query('SELECT 1 FROM second_codes WHERE length(code) = 16')).toHaveLength(11);
    }));

  it.each([
    ['without second codes', examples('emu', 3), NEW],
    ['with those of another space', examples('emu', 3, OTHER), OTHER],
    ['with some that are of nothing', examples('emu', 3, NEW), undefined],
  ])('is refused %s', (_, more, target) =>
    moving(async (parts) => {
      await fill(parts);
      expect(await parts.teaching.teach('pets', { ...request, examples: more, target })).toEqual(
        refused('conflict'),
      );
      expect(parts.rows.examples.state('pets')?.classes).toHaveLength(2);
    }),
  );

  it('before the switch, the training begins again with it', () =>
    moving(async (parts) => {
      await fill(parts);
      parts.onceWritten(() =>
        parts.teaching.teach('pets', {
          ...request,
          train: false,
          examples: examples('emu', 3, NEW),
          target: NEW,
        }),
      );
      expect(await parts.rebasing.finish('pets', NEW)).toMatchObject({
        progress: { state: 'done', total: 11, after: { leave_one_out: { examples: 11 } } },
      });
    }));

  it('before the switch, a picture without its code comes first', () =>
    moving(async (parts) => {
      await fill(parts);
      const kept = examples('emu', 3).map((example) => ({ ...example, kept: { image: 'x', bytes: 1 } }));
      parts.onceWritten(async () => {
        await parts.teaching.teach('pets', { ...request, train: false, examples: kept });
        parts.rows.storage.sql.exec("UPDATE examples SET image = 'image of ' || id, image_bytes = 1");
      });
      expect(await parts.rebasing.finish('pets', NEW)).toMatchObject({
        progress: { state: 'under_way', done: 8, total: 11 },
      });
      await fill(parts);
      expect(await parts.rebasing.finish('pets', NEW)).toMatchObject(finished);
    }));
});

async function moved(parts: Parts): Promise<void> {
  await fill(parts);
  expect(await parts.rebasing.finish('pets', NEW)).toMatchObject(finished);
}

describe('what was embedded before the switch and is stored after it', () => {
  const request = { origin: OLD, train: true, idempotency: undefined };
  it('comes along with its second codes', () =>
    moving(async (parts) => {
      await moved(parts);
      const more = examples('emu', 3, NEW);
      expect(await parts.teaching.teach('pets', { ...request, examples: more, target: NEW })).toMatchObject({
        answer: { added: 3, examples: 11 },
      });
      const stored = parts.rows.storage.sql
        .exec<{ code: ArrayBuffer }>("SELECT code FROM examples WHERE label = 'emu' ORDER BY picture")
        .toArray();
      expect(stored.map(({ code }) => new Uint8Array(code))).toEqual(more.map(({ second }) => second));
    }));

  it('is to be repeated where it has none of that space', () =>
    moving(async (parts) => {
      await moved(parts);
      for (const [more, target] of [
        [examples('emu', 3), undefined],
        [examples('emu', 3, OTHER), OTHER],
        [[...examples('emu', 2, NEW), ...examples('gnu', 1)], NEW],
      ] as const)
        expect(await parts.teaching.teach('pets', { ...request, examples: more, target })).toEqual(
          refused('conflict'),
        );
      expect(parts.rows.examples.state('pets')?.classes).toHaveLength(2);
    }));

  it('is of other codes where it never was of the head, or comes as codes', () =>
    moving(async (parts) => {
      await moved(parts);
      const codes = examples('emu', 3, NEW).map((each) => ({ ...each, source: 'code' as const }));
      const strange = { ...request, origin: { ...OLD, weightsSha256: 'd'.repeat(64) } };
      for (const each of [
        { ...request, examples: codes, target: NEW },
        { ...strange, examples: examples('emu', 3) },
      ])
        expect(await parts.teaching.teach('pets', each)).toEqual(refused('backbone_mismatch'));
    }));
});

describe('before the switch', () => {
  it.each(['forgotten', 'relabelled', 'given up', 'deleted'])('an example or the move is %s', (what) =>
    moving(async (parts) => {
      const { rows, teaching, rebasing } = parts;
      await fill(parts);
      const [{ id }] = rows.storage.sql
        .exec<{ id: string }>("SELECT id FROM examples WHERE label = 'cat'")
        .toArray();
      parts.onceWritten(() => {
        if (what === 'forgotten') rows.examples.forget('pets', { ids: [id] }, NOW);
        else if (what === 'relabelled') rows.examples.relabel('pets', id, 'dog');
        else if (what === 'deleted') rows.examples.clear('pets', NOW);
        else rows.secondCodes.giveUp('pets');
      });
      const result = await rebasing.finish('pets', NEW);
      const state = rows.examples.state('pets');
      if (what === 'deleted') {
        expect(result).toEqual(refused('head_not_found'));
      } else if (what === 'given up') {
        expect(state?.origin).toEqual(OLD);
        expect(numbers(rows)).toEqual([1]);
      } else {
        expect(result).toMatchObject(finished);
        expect(state?.classes).toEqual(
          what === 'forgotten'
            ? [
                { label: 'cat', examples: 3 },
                { label: 'dog', examples: 4 },
              ]
            : [
                { label: 'cat', examples: 3 },
                { label: 'dog', examples: 5 },
              ],
        );
        // Trained on what is there now, and nothing that was forgotten is left.
        expect(await teaching.train('pets')).toMatchObject({
          answer: { examples: what === 'forgotten' ? 7 : 8 },
        });
      }
    }),
  );
});

describe('codes in second spaces', () => {
  it('serve again where a head is moved back', () =>
    moving(async (parts) => {
      await fill(parts);
      await parts.rebasing.finish('pets', NEW);
      expect(await parts.rebasing.page('pets', OLD)).toMatchObject({
        progress: { state: 'under_way', done: 8, total: 8 },
        pictures: [],
      });
      // The same head as before, which is a version already.
      expect(await parts.rebasing.finish('pets', OLD)).toMatchObject({
        progress: { state: 'done', from: { name: 'new' }, before: { version: 2 }, after: { version: 1 } },
      });
      expect(parts.rows.heads.live('pets')?.current).toBe(1);
      expect(parts.rows.examples.state('pets')?.origin).toEqual(OLD);
    }));

  it('stay for the versions of before where moving back is given up', () =>
    moving(async (parts) => {
      await fill(parts);
      await parts.rebasing.finish('pets', NEW);
      await parts.rebasing.page('pets', OLD);
      await parts.rebasing.giveUp('pets', OLD);
      expect(parts.rows.query('SELECT 1 FROM second_codes')).toHaveLength(8);
    }));

  it('are bounded', () =>
    moving(async (parts) => {
      const { rows, rebasing } = parts;
      const hold = (n: number) => rows.storage.sql.exec('UPDATE tenant SET second_code_count = ?', n);
      hold(MAX_SECOND_CODES_PER_TENANT - 7);
      expect(await rebasing.page('pets', NEW)).toEqual(refused('conflict'));
      expect(rows.query('SELECT 1 FROM code_spaces')).toEqual([]);
      hold(MAX_SECOND_CODES_PER_TENANT - 8);
      await fill(parts);
      const request = { origin: OLD, train: false, idempotency: undefined, target: NEW };
      expect(await parts.teaching.teach('pets', { ...request, examples: examples('emu', 1, NEW) })).toEqual(
        refused('limit_reached'),
      );
    }));
});
