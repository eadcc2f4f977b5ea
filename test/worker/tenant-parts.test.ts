/** What a tenant says of its heads, from descriptions alone; and what may be taught. */
import { describe, expect, it } from 'vitest';
import type { Head } from '../../src/head/index.ts';
import type { TrainedHead, TrainingSet } from '../../src/learn/ridge/train.ts';
import { memory } from '../../worker/isolate/memory.ts';
import { trainingBytes, type TrainingSize } from '../../src/learn/ridge/training-memory.ts';
import {
  MAX_CLASSES_PER_TAUGHT_HEAD,
  MAX_DESCRIPTION_BYTES,
  MAX_EXAMPLES_PER_HEAD,
  MAX_EXAMPLES_PER_TENANT,
  MAX_HEADS_PER_TENANT,
} from '../../worker/limits.ts';
import type { NewExample } from '../../worker/tenant/teach/example.ts';
import { conflict, overflow, sortNew, spaceMismatch } from '../../worker/tenant/teach/admission.ts';
import {
  classSummaries,
  describe as describeHead,
  parse,
  routing,
} from '../../worker/tenant/heads/describe.ts';
import type { CodeOrigin } from '../../worker/tenant/code-origin.ts';
import { accuracyOver, guardFault, sharedClasses } from '../../worker/tenant/heads/guard.ts';
import { reportOf } from '../../worker/tenant/teach/report.ts';
import { refused } from './in-heads.ts';
import { withinMemory } from '../../worker/tenant/teach/training.ts';
import { description, inRows, NOW, type Opened } from './in-rows.ts';

const judged = (label: string, share: number) => ({
  label,
  examples: 3,
  precision: share,
  recall: share,
  f1: share,
});

const at = (right: number, labels = ['cat', 'dog']) =>
  description(
    labels,
    labels.map(() => [8, right]),
  );

const counted = () => ({ requests: 3, disagreements: 1 });

describe('a description', () => {
  const LABELS = ['cat', 'dog', 'cow'];

  it('tells how each class did that was judged', () => {
    const classes = classSummaries(
      parse(
        description(LABELS, [
          [4, 0.5],
          [0, 0],
          [1, 1],
        ]),
      ),
    );
    expect(classes).toEqual([judged('cat', 0.5), { label: 'dog', examples: 3 }, judged('cow', 1)]);
    expect(classSummaries(parse(description(['cat', 'dog'])))).toEqual([
      { label: 'cat', examples: 3 },
      { label: 'dog', examples: 3 },
    ]);
  });

  it('tells the accuracy over some classes, each by how many were judged', () => {
    const text = description(LABELS, [
      [4, 0.5],
      [0, 0],
      [2, 1],
    ]);
    expect(accuracyOver(text, new Set(LABELS))).toBe(4 / 6);
    expect(accuracyOver(text, new Set(['cat']))).toBe(0.5);
    expect(accuracyOver(text, new Set(['dog']))).toBeUndefined();
    expect(accuracyOver(description(LABELS), new Set(LABELS))).toBeUndefined();
    expect(sharedClasses(description(['cat', 'dog']), description(['cow', 'dog']))).toEqual(new Set(['dog']));
  });

  it('is held back where the old classes lose more than the margin', () => {
    expect(guardFault(at(0.75), at(0.5), 0.25)).toBeUndefined();
    expect(guardFault(at(0.75), at(0.5), 0.125)).toContain(
      'from 75.0 % to 50.0 %, by more than the margin of 12.5 %',
    );
    expect(guardFault(at(0.5), at(0.75), 0)).toBeUndefined();
    expect(guardFault(description(['cat', 'dog']), at(0.5), 0)).toBeUndefined();
    expect(guardFault(at(0.5), description(['cat', 'dog']), 0)).toBeUndefined();
    const others = description(
      ['cat', 'cow'],
      [
        [8, 0.5],
        [8, 0],
      ],
    );
    expect(guardFault(at(0.5), others, 0)).toBeUndefined();
    expect(guardFault(at(0.5, ['cow', 'ape']), others, 0)).toContain('from 50.0 % to 0.0 %');
  });

  it('may take so many bytes', () => {
    const metadata = parse(description(['cat', 'dog']));
    const withName = (length: number): Head => {
      const backbone = { ...metadata.backbone, name: 'x'.repeat(length) };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
      return { ...metadata, backbone } as unknown as Head;
    };
    const rest = describeHead(withName(0)).length;
    expect(describeHead(withName(MAX_DESCRIPTION_BYTES - rest))).toHaveLength(MAX_DESCRIPTION_BYTES);
    expect(() => describeHead(withName(MAX_DESCRIPTION_BYTES - rest + 1))).toThrow(
      expect.objectContaining({ code: 'head_too_large' }),
    );
  });

  it('of what answers beside the current version is told where it is so', () => {
    const pointer = {
      revision: 1,
      current: 2,
      versions: {},
      names: { live: 1 },
      canary: null,
      shadow: null,
      capture: false,
    };
    expect(routing(pointer, counted)).toEqual({ version: 2, names: { live: 1 } });
    const canary = { version: 3, percent: 5 };
    expect(routing({ ...pointer, canary, shadow: 4 }, counted)).toMatchObject({
      canary,
      shadow: { version: 4, requests: 3, disagreements: 1 },
    });
  });
});

describe('a report', () => {
  /** Two cats, one dog, two cows; probabilities of each as the head says that did not see it. */
  const set = { labels: ['cat', 'cow', 'dog'], targets: Uint16Array.of(0, 0, 1, 1, 2) };
  const leaveOneOut = Float32Array.of(0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.75, 0.125, 0.125, 0, 1, 0, 1, 0, 0);
  const head = { labels: ['cat', 'cow', 'dog'], training: { counts: [2, 2, 1] } };
  const metrics = { confusion: [[1]], reliability: [] };
  const of = (changed: object) => {
    const trained: unknown = { head, metrics, leaveOneOut, ...changed };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of them as is used
    return reportOf(set as unknown as TrainingSet, ['a', 'b', 'c', 'd', 'e'], trained as TrainedHead);
  };

  it('lists what would be called something else, the least believed first, no only one of its class', () => {
    expect(of({})?.hardest).toEqual([
      { id: 'c', label: 'cow', predicted: 'cat', probability: 0.75, label_probability: 0.125 },
      { id: 'b', label: 'cat', predicted: 'cow', probability: 0.5, label_probability: 0.25 },
    ]);
    expect(of({})).toMatchObject({ labels: ['cat', 'cow', 'dog'], confusion: [[1]], reliability: [] });
  });

  it('is none where nothing was judged', () => expect(of({ metrics: null })).toBeNull());
});

const example = (picture: string, label = 'cat'): NewExample => ({
  picture,
  label,
  source: 'code',
  code: new Uint8Array(2),
});
const many = (count: number, labels = 1): NewExample[] =>
  Array.from({ length: count }, (_, i) => example(`p${i}`, `label ${i % labels}`));

/** An example that is there. */
const know = ({ storage }: Opened, picture: string, label: string): unknown =>
  storage.sql.exec(
    "INSERT INTO examples VALUES (?, 'pets', ?, ?, 'code', x'00', 1, 1, NULL, NULL)",
    `id of ${picture}`,
    label,
    picture,
  );

describe('new examples', () => {
  it('are told from known ones, and from those that contradict', () =>
    inRows((rows) => {
      know(rows, 'a', 'cat');
      const sort = (...examples: NewExample[]) => sortNew(rows.sql, 'pets', examples);
      expect(sort(example('a'), example('b'), example('b'), example('c', 'dog'))).toEqual({
        fresh: [example('b'), example('c', 'dog')],
        conflicts: [],
      });
      expect(
        sort(example('a', 'dog'), example('b'), example('b', 'dog'), example('b', 'cow')).conflicts,
      ).toEqual([
        { picture: 'a', label: 'dog', known_label: 'cat', example: 'id of a' },
        { picture: 'b', label: 'dog', known_label: 'cat' },
        { picture: 'b', label: 'cow', known_label: 'cat' },
      ]);
      expect(sortNew(rows.sql, 'dogs', [example('a', 'dog')])).toEqual({
        fresh: [example('a', 'dog')],
        conflicts: [],
      });
    }));

  it('that contradict are named, the first of them', () => {
    const conflicts = many(60).map(({ picture }) => ({ picture, label: 'cat', known_label: 'dog' }));
    const { detail, conflicts: named } = conflict(conflicts).refused;
    expect(detail).toContain("labelled 'cat' is known as 'dog' and 59 more");
    expect(named).toHaveLength(50);
    expect(conflict(conflicts.slice(0, 2)).refused.detail).toContain('and 1 more');
    expect(conflict(conflicts.slice(0, 1)).refused.detail).not.toContain('more');
  });

  it('are so many of a head and of a tenant, of so many classes and heads', () =>
    inRows(({ sql, storage }) => {
      const known = [{ label: 'label 0', examples: MAX_EXAMPLES_PER_HEAD - 3 }];
      expect(overflow(sql, 'pets', known, many(3))).toBeUndefined();
      expect(overflow(sql, 'pets', known, many(4))).toEqual(refused('too_many_examples'));
      const classes = MAX_CLASSES_PER_TAUGHT_HEAD;
      expect(
        overflow(sql, 'pets', [{ label: 'label 0', examples: 1 }], many(classes, classes)),
      ).toBeUndefined();
      expect(overflow(sql, 'pets', [{ label: 'other', examples: 1 }], many(classes, classes))).toEqual(
        refused('limit_reached'),
      );
      storage.sql.exec('UPDATE tenant SET example_count = ?', MAX_EXAMPLES_PER_TENANT - 2);
      expect(overflow(sql, 'pets', known, many(2))).toBeUndefined();
      expect(overflow(sql, 'pets', known, many(3))).toEqual(refused('limit_reached'));
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO taught_heads SELECT 'head ' || i, '{}', 1, 1, NULL FROM n`,
        MAX_HEADS_PER_TENANT - 1,
      );
      expect(overflow(sql, 'pets', undefined, many(2))).toBeUndefined();
      storage.sql.exec("INSERT INTO taught_heads VALUES ('last', '{}', 1, 1, NULL)");
      expect(overflow(sql, 'pets', undefined, many(2))).toEqual(refused('limit_reached'));
      expect(overflow(sql, 'pets', known, many(2))).toBeUndefined();
    }));

  it('are codes of the same head and the same backbone', () => {
    const own: CodeOrigin = { name: 'n', version: '1', weightsSha256: 'w', taps: ['t'], codeLength: 8 };
    const base = { version: 1, sha256: 'a' };
    expect(spaceMismatch(own, { ...own, name: 'renamed' })).toBeUndefined();
    expect(spaceMismatch({ ...own, base }, { ...own, base: { version: 2, sha256: 'a' } })).toBeUndefined();
    expect(spaceMismatch({ ...own, base }, own)).toContain('another head');
    expect(spaceMismatch(own, { ...own, base })).toContain('another head');
    expect(spaceMismatch(own, { ...own, weightsSha256: 'x', version: '2' })).toContain(
      'n 1; this Worker runs n 2',
    );
    expect(spaceMismatch(own, { ...own, codeLength: 9 })).toContain('Teach a new head');
    const small: CodeOrigin = { ...own, input: { height: 160, width: 160, rules: 2 } };
    expect(spaceMismatch(own, small)).toContain(
      "8 numbers from 1 tap at the backbone's own size, pixel rules 1; these are of 8 numbers from 1 tap at 160×160 pixels, pixel rules 2",
    );
    expect(spaceMismatch(small, own)).toContain('Teach a new head');
    expect(spaceMismatch(small, { ...small })).toBeUndefined();
    expect(spaceMismatch(small, { ...small, input: { height: 160, width: 160, rules: 1 } })).toBeDefined();
    expect(spaceMismatch(own, { ...own, statistics: ['mean'] })).toBeUndefined();
    expect(spaceMismatch(own, { ...own, statistics: ['deviation'] })).toContain('1 of them deviations');
  });

  it('have a revision and a time of their own, and are counted', () =>
    inRows(({ examples, query }) => {
      const origin: CodeOrigin = { name: 'n', version: '1', weightsSha256: 'w', taps: ['t'], codeLength: 1 };
      const add = (...some: NewExample[]) => examples.add('pets', origin, some, NOW);
      expect(add(example('a'), example('b', 'dog'))).toEqual({ revision: NOW, added: 2, duplicates: 0 });
      expect(add(example('a'), example('c'), example('d'))).toEqual({
        revision: NOW + 1,
        added: 2,
        duplicates: 1,
      });
      expect(add(example('a'))).toEqual({ revision: NOW + 1, added: 0, duplicates: 1 });
      expect(examples.state('pets')).toEqual({
        revision: NOW + 1,
        firstRevision: NOW,
        origin,
        forgottenFrom: null,
        classes: [
          { label: 'cat', examples: 3 },
          { label: 'dog', examples: 1 },
        ],
      });
      expect(add({ ...example('e'), code: new Uint8Array(3) })).toEqual(refused('backbone_mismatch'));
      expect(add(example('a', 'dog'))).toEqual(refused('label_conflict'));
      expect(query('SELECT example_count AS n FROM tenant')).toEqual([{ n: 4 }]);
    }));
});

describe('the memory of a training', () => {
  const largest = {
    examples: MAX_EXAMPLES_PER_HEAD,
    codeLength: 3_680,
    classes: MAX_CLASSES_PER_TAUGHT_HEAD,
  };

  it('is there for the largest head that is taught at the edge, also on top of an uploaded one', () => {
    for (const isContinuable of [true, false]) {
      const base = { bytes: 4_200_000, isContinuable };
      expect(trainingBytes({ ...largest, base })).toBeLessThan(memory.largest);
    }
    expect(trainingBytes({ ...largest, codeLength: 2_208 })).toBeLessThan(memory.largest);
  });

  it('that is more than all there is, is refused and not lent', async () => {
    let ran = false;
    const run = (size: TrainingSize) => withinMemory('pets', size, async () => ((ran = true), {}));
    const refusal = await run({ ...largest, classes: 400 });
    expect(refusal).toEqual(refused('training_data_too_large'));
    expect(ran).toBe(false);
    expect(JSON.stringify(refusal)).toMatch(
      /2000 examples of 3680 numbers, with 400 classes in all, takes \d{2,3} MB of memory; at the edge 78 are the most.*Delete some of them, or train it with `headwater train/,
    );
    expect(await run(largest)).toEqual({});
    expect(ran).toBe(true);
  });
});
