/** The service beside its model: a short soak (`npm run soak` is the long one), and that the model can tell what is wrong. */
import { describe, expect, it } from 'vitest';
import { statesAfter, type Sent } from '../../soak/explain.ts';
import { mismatch } from '../../soak/match.ts';
import { Model, type Change } from '../../soak/model.ts';
import type { Observed, ObservedHead } from '../../soak/observe.ts';
import { soak } from '../../soak/run.ts';
import { emptyState, type State } from '../../soak/state.ts';
import { firstKey } from '../../soak/tenant.ts';

const model = new Model((labels) => Promise.resolve(JSON.stringify([...labels])));

const teach = (...pictures: string[]): Change => ({
  kind: 'teach',
  head: 'pets',
  examples: pictures.map((picture) => ({ picture, label: picture[0], source: 'code' })),
  train: true,
  key: undefined,
});
const forget = (picture: string): Change => ({ kind: 'forget', head: 'pets', picture });
const answered = (change: Change, fields: object): Sent => ({
  change,
  answer: { status: 200, body: fields },
});
const unanswered = (change: Change): Sent => ({ change, answer: undefined });

const taught = (): Promise<State[]> =>
  statesAfter(
    model,
    [emptyState(firstKey())],
    [answered(teach('a1', 'a2', 'b1'), { added: 3, duplicates: 0 })],
  );

/** Examples, and what each version knows. */
const told = (states: readonly State[]): string[] =>
  states
    .map(({ heads: { pets } }) =>
      [
        Object.keys(pets.examples).join(' '),
        ...Object.values(pets.versions).map(({ sha256 }) => (sha256.match(/\w\d/g) ?? []).join(' ')),
      ].join(' | '),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));

/** What would be read of a state. */
function read({ heads, keepImages }: State): Observed {
  const observedHeads = Object.entries(heads).map(([name, head]): [string, ObservedHead] => [
    name,
    {
      ...structuredClone(head),
      settings: Object.keys(head.versions).length > 0 ? head.settings : undefined,
      versions: Object.fromEntries(
        Object.entries(head.versions).map(([number, { sha256 }]) => [number, { sha256, identity: 'now' }]),
      ),
      examples:
        head.taught &&
        Object.fromEntries(
          Object.entries(head.examples).map(([picture, { label, source, image }]) => [
            picture,
            { label, source, image, identity: `${picture} now` },
          ]),
        ),
      detail: undefined,
    },
  ]);
  return {
    keepImages,
    keys: [{ id: 'first', name: 'first key', scopes: ['read', 'write', 'admin'], revoked: false }],
    heads: Object.fromEntries(observedHeads),
  };
}

describe('the model', () => {
  it('knows one outcome of what was answered', async () => {
    expect(told(await taught())).toEqual(['a1 a2 b1 | a1 a2 b1']);
  });

  it('knows no other outcome of an unanswered forgetting than before and after', async () => {
    const states = await statesAfter(model, await taught(), [unanswered(forget('a1'))]);
    expect(told(states)).toEqual(['a1 a2 b1 | a1 a2 b1', 'a2 b1 | a2 b1']);
  });

  it('lets an unanswered batch be stored and not yet trained with, but not in part', async () => {
    const states = await statesAfter(model, await taught(), [unanswered(teach('c1', 'c2'))]);
    expect(told(states)).toEqual([
      'a1 a2 b1 c1 c2 | a1 a2 b1',
      'a1 a2 b1 c1 c2 | a1 a2 b1 | a1 a2 b1 c1 c2',
      'a1 a2 b1 | a1 a2 b1',
    ]);
  });

  it('lets no version know what was forgotten meanwhile', async () => {
    const states = await statesAfter(model, await taught(), [
      answered(teach('c1'), { added: 1, duplicates: 0 }),
      answered(forget('a1'), { forgotten: 1 }),
    ]);
    expect(states.length).toBeGreaterThan(0);
    for (const text of told(states)) {
      expect(text).not.toContain('a1');
      expect(text).toMatch(/^a2 b1 c1 \|.*\| a2 b1 c1$|^a2 b1 c1 \| a2 b1 c1$/);
    }
  });

  it('has no state for an answer that counts wrong', async () => {
    const wrong = answered(teach('c1'), { added: 2, duplicates: 0 });
    expect(await statesAfter(model, await taught(), [wrong])).toEqual([]);
  });

  it('tells a lost example, a version too many and a setting that changed by itself', async () => {
    const [state] = await taught();
    expect(mismatch(structuredClone(state), read(state))).toBeUndefined();
    const less = structuredClone(state);
    delete less.heads['pets'].examples['a2'];
    expect(mismatch(structuredClone(state), read(less))).toMatch(/^examples of pets/);
    const more = structuredClone(state);
    more.heads['pets'].versions[2] = { sha256: 'other', trained: null };
    expect(mismatch(structuredClone(state), read(more))).toMatch(/^new versions of pets/);
    const other = { ...structuredClone(state), keepImages: true };
    expect(mismatch(structuredClone(state), read(other))).toMatch(/^keep_images/);
  });
});

describe('the service beside its model', () => {
  it('holds what was answered after kills, and no half of what was not', async () => {
    const { tally, failure } = await soak({ kills: 2, seed: 7, bursts: 6 });
    expect(failure).toBeUndefined();
    expect(tally.kills).toBe(2);
  });
});
