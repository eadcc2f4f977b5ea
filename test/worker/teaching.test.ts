/** Batches on rows and stores alone: what is answered, whether it is a repeat, and the steps between which a crash may come. */
import { describe, expect, it } from 'vitest';
import type { NewExample } from '../../worker/tenant/teach/example.ts';
import type { CodeOrigin } from '../../worker/tenant/code-origin.ts';
import type { Stores } from '../../worker/tenant/outbox.ts';
import { Teaching, type Batch, type TaughtResult } from '../../worker/tenant/teach/teaching.ts';
import { Training } from '../../worker/tenant/teach/training.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { pointerWith, refused, withVersions } from './in-heads.ts';
import { inRows, NOW, type Opened } from './in-rows.ts';

const CODE_LENGTH = 8;
const ORIGIN: CodeOrigin = {
  name: 'n',
  version: '1',
  weightsSha256: 'a'.repeat(64),
  taps: ['t'],
  codeLength: CODE_LENGTH,
};

/** Examples of one label, whose codes lie around a place of its own. */
function examples(label: string, count: number): NewExample[] {
  return Array.from({ length: count }, (_, i) => {
    const code = Float16Array.from(
      { length: CODE_LENGTH },
      (_each, d) => (label.charCodeAt(0) % 7) * d + ((i * 5 + d * 3) % 4),
    );
    return { picture: `${label} ${i}`, label, source: 'code', code: new Uint8Array(code.buffer) };
  });
}

const batch = (some: readonly NewExample[], changed: Partial<Batch> = {}): Batch => ({
  origin: ORIGIN,
  examples: some,
  train: true,
  idempotency: undefined,
  ...changed,
});

const nothing = async (): Promise<void> => {};

/** Teaching of a tenant whose stores keep what they get. */
async function inTeaching(
  task: (teaching: Teaching, rows: Opened, steps: string[]) => Promise<unknown>,
): Promise<void> {
  const files = new Map<string, Uint8Array>();
  const steps: string[] = [];
  const get = async (name: string) => {
    const file = files.get(name);
    return file === undefined ? null : new Response(file);
  };
  const put = async (name: string, file: Uint8Array) => void files.set(name, file);
  const STEPS = {
    fetch: async (address: string) => {
      steps.push(decodeURIComponent(address.split('/').at(-1)!));
      return new Response();
    },
  };
  const stores: unknown = {
    HEADS: { get, put, delete: nothing },
    POINTERS: { put: nothing, delete: nothing },
    STEPS,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of them as is used
  const its = stores as Stores;
  await inRows(async (rows) => {
    const { write } = new Writer(rows.storage, rows, its);
    await task(new Teaching(rows, write, new Training(rows, write, its), its), rows, steps);
  }, its);
}

/** What was answered, which is no refusal. */
async function answered(result: ReturnType<Teaching['teach']>): Promise<TaughtResult> {
  const it = await result;
  if ('refused' in it) throw new Error(it.refused.detail);
  return it;
}

describe('a batch', () => {
  const both = [...examples('cat', 4), ...examples('dog', 4)];

  it('passes every step between which a crash may come', () =>
    inTeaching(async (teaching, _, steps) => {
      await answered(teaching.teach('pets', batch(both, { idempotency: { key: 'k', digest: 'd' } })));
      expect(steps).toEqual(['examples stored', 'object written', 'before the pointer', 'before the answer']);
    }));

  it('is answered once; a repeat gets the same, and says so', () =>
    inTeaching(async (teaching, rows) => {
      const idempotency = { key: 'k', digest: 'd' };
      const teach = () => answered(teaching.teach('pets', batch(both, { idempotency })));
      const first = await teach();
      expect(first).toMatchObject({ answer: { version: 1, added: 8, duplicates: 0 }, repeated: false });
      await answered(teaching.forget('pets', { label: 'cat' }).then((result) => result));
      expect(await teach()).toEqual({
        answer: first.answer,
        pointer: rows.heads.pointer('pets'),
        repeated: true,
      });
      expect(await teaching.teach('pets', batch(both, { idempotency: { key: 'k', digest: 'e' } }))).toEqual(
        refused('idempotency_mismatch'),
      );
    }));

  it('whose answer was lost is finished by the repeat, with the same counts', () =>
    inTeaching(async (teaching, rows) => {
      const idempotency = { key: 'k', digest: 'd' };
      rows.examples.add('pets', ORIGIN, both, NOW);
      rows.idempotency.remember(idempotency, 'pets', { revision: NOW, added: 8, duplicates: 3 }, Date.now());
      expect(await teaching.teach('pets', batch([], { idempotency }))).toMatchObject({
        answer: { version: 1, added: 8, duplicates: 3 },
        repeated: false,
      });
    }));

  it('without training names no version', () =>
    inTeaching(async (teaching) => {
      const { answer, pointer } = await answered(teaching.teach('pets', batch(both, { train: false })));
      expect(answer).not.toHaveProperty('version');
      expect(pointer).toBeNull();
      expect(await teaching.train('pets')).toMatchObject({ answer: { version: 1 }, repeated: false });
      expect(await teaching.train('dogs')).toEqual(refused('head_not_found'));
    }));
});

describe('a change of examples', () => {
  const both = [...examples('cat', 4), ...examples('dog', 4), ...examples('emu', 4)];

  it('trains once without what was forgotten', () =>
    inTeaching(async (teaching, rows) => {
      await answered(teaching.teach('pets', batch(both)));
      expect(await teaching.forget('pets', { label: 'emu' })).toMatchObject({
        answer: { version: 2, forgotten: 4, examples: 8 },
        pointer: { current: 2 },
        repeated: false,
      });
      expect(Object.keys(rows.heads.pointer('pets')!.versions)).toEqual(['2']);
      expect(await teaching.forget('pets', { label: 'emu' })).toEqual(refused('class_not_found'));
      expect(await teaching.forget('pets', { ids: ['no id'] })).toEqual(refused('example_not_found'));
      expect(await teaching.forget('dogs', { label: 'cat' })).toEqual(refused('head_not_found'));
      await answered(teaching.forget('pets', { label: 'dog' }));
      expect(rows.heads.pointer('pets')).toEqual(pointerWith({}));
    }));

  it('gives an example another label that there is', () =>
    inTeaching(async (teaching, rows) => {
      await answered(teaching.teach('pets', batch(both)));
      const { id } = rows.examples.list('pets', 'cat', undefined, 1).examples[0];
      expect(await teaching.relabel('pets', id, 'dog')).toMatchObject({
        answer: { version: 2, classes: [{ examples: 3 }, { examples: 5 }, { examples: 4 }] },
        repeated: false,
      });
      expect(await teaching.relabel('pets', id, 'cow')).toEqual(refused('class_not_found'));
      expect(await teaching.relabel('pets', 'no id', 'dog')).toEqual(refused('example_not_found'));
      expect(await teaching.relabel('dogs', id, 'dog')).toEqual(refused('head_not_found'));
    }));

  it('comes from what a person says of a prediction, or is none', () =>
    inTeaching(async (teaching, rows) => {
      await answered(teaching.teach('pets', batch(both)));
      const unknown = { score: 0, is_unknown: false };
      for (const [id, label] of [
        ['first', 'cat'],
        ['second', 'dog'],
      ]) {
        const { code } = examples(label, 9)[8];
        const capture = {
          id,
          version: 1,
          picture: `picture of ${id}`,
          code,
          predictions: [],
          unknown,
          worth: 1,
        };
        rows.captures.add('pets', capture, NOW);
      }
      const say = (id: string, label: string | null) => teaching.feedback('pets', id, label, ORIGIN);
      expect(await say('second', null)).toMatchObject({
        answer: { head: 'pets', examples: 12 },
        pointer: { current: 1 },
        repeated: false,
      });
      expect(await say('second', 'dog')).toEqual(refused('prediction_not_found'));
      expect(await say('first', 'cat')).toMatchObject({
        answer: { version: 2, added: 1, duplicates: 0, examples: 13 },
        repeated: false,
      });
      expect(rows.captures.list('pets')).toEqual([]);
      expect(rows.examples.list('pets', 'cat', undefined, 9).examples.map(({ source }) => source)).toContain(
        'feedback',
      );
    }));

  it('is none where an uploaded head was never taught', () =>
    inTeaching(async (teaching, rows) => {
      withVersions(rows, 'pets', 1);
      const unknown = { score: 0, is_unknown: false };
      const capture = {
        id: 'c',
        version: 1,
        picture: 'p',
        code: new Uint8Array(2),
        predictions: [],
        unknown,
        worth: 1,
      };
      rows.captures.add('pets', capture, NOW);
      expect(await teaching.feedback('pets', 'c', null, ORIGIN)).toEqual({
        answer: { head: 'pets', examples: 0, classes: [] },
        pointer: rows.heads.pointer('pets'),
        repeated: false,
      });
    }));

  it('that a crash interrupted is finished by the alarm', () =>
    inTeaching(async (teaching, rows) => {
      await answered(teaching.teach('pets', batch(both)));
      rows.examples.forget('pets', { label: 'emu' }, NOW);
      await teaching.resume();
      const versions = { 2: expect.any(String) as unknown };
      expect(rows.heads.pointer('pets')).toEqual(pointerWith({ current: 2, versions }));
      expect(rows.examples.withForgotten()).toEqual([]);
    }));
});
