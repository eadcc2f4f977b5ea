/** Lists in JSON from clients are bounded before their items are checked: each item that is wrong takes a kilobyte and microseconds. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FIELDS } from '../../src/head/metadata.ts';
import { Files, Predictions, Urls } from '../../worker/protocols/custom-vision/images.ts';
import { InferRequest } from '../../worker/protocols/open-inference-input.ts';
import { WorkersAiInput } from '../../worker/protocols/workers-ai.ts';
import { BODY_SCHEMAS } from '../../worker/http/openapi.ts';

const { BatchLine: _answer, ...BODIES } = BODY_SCHEMAS;
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  ...BODIES,
  InferRequest,
  WorkersAiInput,
  Files,
  Urls,
  Predictions,
  ...Object.fromEntries(Object.entries(FIELDS).map(([key, schema]) => [`a head's ${key}`, schema])),
};

/** Places of lists whose items are checked though there may be any number of them. */
function unbounded(schema: z.core.$ZodType, place: string): string[] {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
    return Object.entries(shape).flatMap(([key, value]) => unbounded(value, `${place}.${key}`));
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => unbounded(option, `${place}|`));
  if (schema instanceof z.ZodArray) {
    const isChecked = !(schema.element instanceof z.ZodUnknown);
    const isBounded = (schema.def.checks ?? []).some(({ _zod: check }) => check.def.check === 'max_length');
    return [...(isChecked && !isBounded ? [place] : []), ...unbounded(schema.element, `${place}[]`)];
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unbounded(schema.def.innerType, place);
  return [];
}

/** Those within unions as well. */
function count(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce(
    (sum, issue) =>
      sum + 1 + (issue.code === 'invalid_union' ? issue.errors.reduce((n, each) => n + count(each), 0) : 0),
    0,
  );
}

describe('lists in bodies', () => {
  it.each(Object.entries(SCHEMAS))('%s: none without a bound', (name, schema) => {
    expect(unbounded(schema, name)).toEqual([]);
  });

  it('of numbers have one fault at most', () => {
    const wrong: unknown[] = Array(10_000).fill('');
    const teach = BODY_SCHEMAS.TeachBody.safeParse({ examples: [{ label: 'a', code: wrong }] });
    expect(count(teach.error?.issues ?? [])).toBeLessThan(10);
    expect(WorkersAiInput.safeParse({ image: wrong }).error?.issues).toHaveLength(1);
    expect(FIELDS.labels.safeParse(Array(10_000).fill(7)).error?.issues).toHaveLength(1);
  });

  it('of numbers as they should be are taken', () => {
    const code = [0, -1.5, 65504];
    const teach = BODY_SCHEMAS.TeachBody.safeParse({ examples: [{ label: 'a', code }] });
    expect(teach.data?.examples).toEqual([{ label: 'a', code }]);
    expect(WorkersAiInput.safeParse({ image: [0, 255] }).data).toEqual({ image: [0, 255] });
    for (const image of [[], [256], [-1], [0.5], [Number.NaN], 'AAAA'])
      expect(WorkersAiInput.safeParse({ image }).success, JSON.stringify(image)).toBe(false);
  });
});
