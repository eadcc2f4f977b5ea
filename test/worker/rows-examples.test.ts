/** A tenant's examples as rows: forgotten, relabelled, listed, read for training, and what a teach request is answered. */
import { describe, expect, it } from 'vitest';
import type { NewExample } from '../../worker/tenant/teach/example.ts';
import type { CodeOrigin } from '../../worker/tenant/code-origin.ts';
import { taughtAnswer } from '../../worker/tenant/teach/taught.ts';
import { add, refused, withVersions } from './in-heads.ts';
import { description, inRows, NOW, type Judged, type Opened } from './in-rows.ts';

const ORIGIN: CodeOrigin = { name: 'n', version: '1', weightsSha256: 'w', taps: ['t'], codeLength: 1 };

const example = (picture: string, label: string, value = 1): NewExample => ({
  picture,
  label,
  source: 'code',
  code: new Uint8Array(Float16Array.of(value).buffer),
});

/** Teaches a head. @param pictures by label, the first letter of each. */
function teach({ examples }: Opened, head: string, ...pictures: readonly string[]): void {
  const origin = ORIGIN;
  examples.add(
    head,
    origin,
    pictures.map((picture, i) => example(picture, picture[0], i)),
    NOW,
  );
}

const listed = ({ examples }: Opened, head = 'pets') =>
  examples.list(head, undefined, undefined, 1_000).examples;
const idOf = (rows: Opened, picture: string): string =>
  listed(rows).find((each) => each.picture === picture)!.id;
const picturesOf = (rows: Opened, head = 'pets'): string[] =>
  listed(rows, head)
    .map(({ picture }) => picture)
    .toSorted();

describe('examples', () => {
  it('are forgotten by id and by label, and the earliest is recorded', () =>
    inRows((rows) => {
      const { examples } = rows;
      teach(rows, 'pets', 'a1', 'b1');
      teach(rows, 'pets', 'a2', 'b2');
      teach(rows, 'pets', 'a3');
      teach(rows, 'dogs', 'a1', 'b1');
      expect(examples.forget('pets', { ids: [idOf(rows, 'a3'), 'no id'] }, NOW)).toBe(1);
      expect(examples.state('pets')).toMatchObject({ revision: NOW + 3, forgottenFrom: NOW + 2 });
      expect(examples.forget('pets', { ids: ['no id'] }, NOW)).toBe(0);
      expect(examples.forget('pets', { label: 'c' }, NOW)).toBe(0);
      expect(examples.revision('pets')).toBe(NOW + 3);
      expect(examples.forget('pets', { label: 'a' }, NOW)).toBe(2);
      expect(examples.state('pets')).toMatchObject({ revision: NOW + 4, forgottenFrom: NOW });
      expect(examples.forget('pets', { ids: [idOf(rows, 'b2')] }, NOW)).toBe(1);
      expect(examples.state('pets')).toMatchObject({ revision: NOW + 5, forgottenFrom: NOW });
      expect([picturesOf(rows), picturesOf(rows, 'dogs')]).toEqual([['b1'], ['a1', 'b1']]);
      expect(examples.unfinishedForgetting()).toEqual(['pets']);
      examples.endForgetting('dogs');
      expect(examples.unfinishedForgetting()).toEqual(['pets']);
      examples.endForgetting('pets');
      expect([examples.unfinishedForgetting(), examples.state('dogs')?.revision]).toEqual([[], NOW]);
    }));

  it('get another label, which is a change where it is another', () =>
    inRows((rows) => {
      const { examples } = rows;
      teach(rows, 'pets', 'a1', 'b1');
      teach(rows, 'dogs', 'a1', 'b1');
      const id = idOf(rows, 'a1');
      expect(examples.relabel('pets', id, 'b')).toBe(NOW + 1);
      expect(examples.relabel('pets', id, 'b')).toBe(NOW + 1);
      expect(examples.relabel('pets', 'no id', 'b')).toBeUndefined();
      expect(examples.relabel('dogs', id, 'a')).toBeUndefined();
      expect(examples.state('pets')).toMatchObject({
        revision: NOW + 1,
        forgottenFrom: null,
        classes: [{ label: 'b', examples: 2 }],
      });
      expect(examples.find('pets', id)).toEqual({
        id,
        label: 'b',
        picture: 'a1',
        source: 'code',
        has_image: false,
        created_at: new Date(NOW).toISOString(),
      });
      expect(examples.find('dogs', id)).toBeUndefined();
    }));

  it('are listed page by page, of all labels or one', () =>
    inRows((rows) => {
      const { examples } = rows;
      teach(rows, 'pets', 'a1', 'a2', 'a3', 'b1');
      teach(rows, 'dogs', 'a1');
      const ids = listed(rows).map(({ id }) => id);
      expect(ids).toEqual(ids.toSorted());
      const page = (label: string | undefined, after: string | undefined, limit: number) => {
        const { examples: found, total, next } = examples.list('pets', label, after, limit);
        return { ids: found.map(({ id }) => id), total, next };
      };
      expect(page(undefined, undefined, 3)).toEqual({ ids: ids.slice(0, 3), total: 4, next: ids[2] });
      expect(page(undefined, ids[2], 3)).toEqual({ ids: ids.slice(3), total: 4, next: undefined });
      expect(examples.list('pets', undefined, undefined, 4).next).toBeUndefined();
      expect(page('a', undefined, 2)).toMatchObject({ total: 3, ids: { length: 2 } });
      expect(page('b', undefined, 2)).toEqual({ total: 1, ids: [idOf(rows, 'b1')], next: undefined });
      expect(page(' b ', undefined, 2).total).toBe(1);
    }));

  it('all go with their head, and no others', () =>
    inRows((rows) => {
      teach(rows, 'pets', 'a1', 'b1');
      teach(rows, 'dogs', 'a1');
      rows.examples.clear('pets', NOW);
      expect(rows.examples.state('pets')).toBeUndefined();
      expect(rows.examples.revision('pets')).toBeUndefined();
      expect([picturesOf(rows), picturesOf(rows, 'dogs')]).toEqual([[], ['a1']]);
      expect(rows.query('SELECT example_count AS n FROM tenant')).toEqual([{ n: 1 }]);
    }));

  it('agree in what their codes are of', () =>
    inRows((rows) => {
      teach(rows, 'pets', 'a1');
      const other = { ...ORIGIN, weightsSha256: 'x' };
      expect(rows.examples.add('pets', other, [example('a2', 'a')], NOW)).toEqual(
        refused('backbone_mismatch'),
      );
      expect(picturesOf(rows)).toEqual(['a1']);
    }));
});

describe('a training set', () => {
  const pictures = Array.from({ length: 150 }, (_, i) => `${'ab'[i % 2]}${1_000 + i}`);

  it('holds every code once, with its label, whatever the stretches', () =>
    inRows(async (rows) => {
      teach(rows, 'pets', ...pictures);
      teach(rows, 'dogs', 'a1');
      let pauses = 0;
      const read = await rows.trainingSets.read('pets', async () => void pauses++);
      expect(pauses).toBe(2);
      expect(read?.revision).toBe(NOW);
      expect(read?.set.labels).toEqual(['a', 'b']);
      const order = pictures.toSorted();
      expect([...read!.set.codes]).toEqual(order.map((picture) => pictures.indexOf(picture)));
      expect([...read!.set.targets]).toEqual(order.map((picture) => 'ab'.indexOf(picture[0])));
      const byId = new Map(listed(rows).map(({ id, picture }) => [id, picture]));
      expect(read!.ids.map((id) => byId.get(id))).toEqual(order);
      expect(read?.set).toMatchObject({
        taps: ['t'],
        backbone: { name: 'n', version: '1', weightsSha256: 'w' },
      });
      expect(await rows.trainingSets.read('cats', async () => {})).toBeUndefined();
    }));

  it('is read anew where something changes between two stretches', () =>
    inRows(async (rows) => {
      teach(rows, 'pets', ...pictures);
      let pauses = 0;
      const read = await rows.trainingSets.read('pets', async () => {
        if (pauses++ === 0) rows.examples.forget('pets', { ids: [idOf(rows, 'a1000')] }, NOW);
      });
      expect(pauses).toBe(1);
      expect(read?.revision).toBe(NOW + 1);
      expect(read?.ids).toHaveLength(149);
      expect([...read!.set.codes]).not.toContain(0);
    }));
});

/** A version that was trained, with metrics of its classes. */
function trained(
  rows: Opened,
  sha256: string,
  labels: readonly string[],
  judged: readonly Judged[],
  revision = 1,
): void {
  const text = description(labels, judged);
  add(rows, 'pets', sha256, { trainedRevision: revision, description: text });
}

const answer = (rows: Opened, train = true) =>
  taughtAnswer(rows.heads, 'pets', rows.examples.state('pets')!, { added: 2, duplicates: 1 }, train);

describe('what a teach request is answered', () => {
  it('says what is missing, as long as there is nothing to tell apart', () =>
    inRows((rows) => {
      teach(rows, 'pets', 'a1', 'a2');
      const counts = { head: 'pets', added: 2, duplicates: 1 };
      const classes = [{ label: 'a', examples: 2 }];
      expect(answer(rows)).toEqual({
        ...counts,
        examples: 2,
        classes,
        missing: expect.stringContaining("one class, 'a'") as unknown,
      });
      rows.examples.forget('pets', { label: 'a' }, NOW);
      expect(answer(rows)).toMatchObject({
        examples: 0,
        missing: expect.stringContaining('at least two') as unknown,
      });
      rows.storage.sql.exec(
        'UPDATE taught_heads SET backbone = ?',
        JSON.stringify({ ...ORIGIN, base: { version: 3, sha256: 'x' } }),
      );
      expect(answer(rows)).toMatchObject({ missing: expect.stringContaining('version 3') as unknown });
    }));

  it('names no version where none is trained', () =>
    inRows((rows) => {
      teach(rows, 'pets', 'a1', 'b1');
      const stored = { head: 'pets', added: 2, duplicates: 1, examples: 2 };
      const classes = [
        { label: 'a', examples: 1 },
        { label: 'b', examples: 1 },
      ];
      expect(answer(rows)).toEqual({ ...stored, classes });
      trained(
        rows,
        'x',
        ['a', 'b'],
        [
          [2, 1],
          [2, 1],
        ],
      );
      expect(answer(rows, false)).toEqual({ ...stored, classes });
    }));

  it('says how good the version is, and what changed since the one before', () =>
    inRows((rows) => {
      teach(rows, 'pets', 'a1', 'b1');
      trained(
        rows,
        'x',
        ['a', 'b', 'c'],
        [
          [2, 0.5],
          [2, 1],
          [4, 0.25],
        ],
      );
      expect(answer(rows)).toMatchObject({ version: 1, current: true, held_out_by: 'leave-one-out' });
      expect(answer(rows).changes).toBeUndefined();
      expect(answer(rows).held_back).toBeUndefined();
      trained(
        rows,
        'y',
        ['a', 'b', 'd'],
        [
          [2, 1],
          [2, 1],
          [4, 0.5],
        ],
        2,
      );
      expect(answer(rows)).toMatchObject({
        version: 2,
        leave_one_out: { accuracy: 6 / 8 },
        changes: {
          from_version: 1,
          accuracy: 6 / 8 - 4 / 8,
          old_classes_accuracy: 1 - 3 / 4,
          classes: [
            { label: 'a', change: 'kept', examples: 0, recall: 0.5 },
            { label: 'c', change: 'removed', examples: -3 },
            { label: 'd', change: 'added', examples: 3 },
          ],
        },
      });
      rows.heads.activate('pets', 1);
      expect(answer(rows)).toMatchObject({ version: 2, current: false });
    }));

  it('compares no metrics with those of an upload, and none where there are none', () =>
    inRows((rows) => {
      teach(rows, 'pets', 'a1', 'b1');
      withVersions(rows, 'pets', 1);
      trained(
        rows,
        'y',
        ['cat', 'dog'],
        [
          [2, 1],
          [2, 1],
        ],
      );
      const { changes } = answer(rows);
      expect(changes).toEqual({ from_version: 1, classes: [] });
      add(rows, 'pets', 'z', { trainedRevision: 3, heldBack: 'worse' });
      expect(answer(rows)).toMatchObject({
        version: 3,
        current: false,
        held_back: 'worse',
        leave_one_out: null,
        changes: { from_version: 2, classes: [] },
      });
      expect(answer(rows).changes?.accuracy).toBeUndefined();
      expect(answer(rows).changes?.old_classes_accuracy).toBeUndefined();
    }));
});
