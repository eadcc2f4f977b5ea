/** Heat-maps over the API: shares that sum to the logit, labels by name, pictures on request. */
import { describe, expect, it } from 'vitest';
import type { Classification } from '../../src/api/index.ts';
import { writeHead } from '../../src/head/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { Isolate, JPEG, makeHead, makeHeadFile, problemOf } from './support.ts';

const isolate = new Isolate();

async function headOf(labels: string[]): Promise<string> {
  const { key } = await isolate.newTenant();
  expect((await isolate.put(key, 'pets', await makeHeadFile(labels))).status).toBe(201);
  return key;
}

describe('explain', () => {
  it('answers shares that sum with the bias to the logit, for every label', async () => {
    const key = await headOf(['cat', 'dog', 'fox']);
    const plain = await (await isolate.classify(key, 'pets')).json<Classification>();
    expect(plain.explanation).toBeUndefined();
    for (const wish of ['cat', 'dog', 'fox', 'label']) {
      const response = await isolate.classify(key, 'pets', `?explain=${wish}`);
      expect(response.status).toBe(200);
      const { explanation, ...rest } = await response.json<Classification>();
      expect(rest).toEqual(plain);
      if (explanation === undefined) throw new Error('no explanation');
      const { label, logit, bias, grid, exact, spread_taps } = explanation;
      expect(label).toBe(wish === 'label' ? plain.predictions[0].label : wish);
      expect({ exact, spread_taps }).toEqual({ exact: true, spread_taps: [] });
      expect(grid.shares).toHaveLength(grid.height);
      expect(grid.shares.every((row) => row.length === grid.width)).toBe(true);
      const sum = grid.shares.flat().reduce((total, share) => total + share, bias);
      expect(Math.abs(sum - logit)).toBeLessThan(1e-5);
    }
  });

  it.each([
    ['efficientnet-lite0', 160, 20],
    ['efficientnet-lite0', 224, 28],
    ['mobilenet-v3-small', 224, 14],
  ] as const)('hands out the maps of %s at %i pixels', async (name, side, cells) => {
    const its = await runtime.named(name, { height: side, width: side, rules: 2 });
    if (its === undefined) throw new Error(`no ${name}`);
    const { key } = await isolate.newTenant();
    const head = await makeHead(['cat', 'dog'], 3, its);
    expect((await isolate.put(key, 'pets', writeHead(head))).status).toBe(201);
    const unexplained = await (await isolate.classify(key, 'pets')).json<Classification>();
    const response = await isolate.classify(key, 'pets', '?explain=dog');
    const { explanation, ...rest } = await response.json<Classification>();
    expect(rest).toEqual(unexplained);
    if (explanation === undefined) throw new Error('no explanation');
    const { logit, bias, grid, exact } = explanation;
    expect({ exact, height: grid.height, width: grid.width }).toEqual({
      exact: true,
      height: cells,
      width: cells,
    });
    const sum = grid.shares.flat().reduce((total, share) => total + share, bias);
    expect(Math.abs(sum - logit)).toBeLessThan(1e-5);
  });

  it('prefers a class that is named label', async () => {
    const key = await headOf(['label', 'other']);
    const answer = await (await isolate.classify(key, 'pets', '?explain=label')).json<Classification>();
    expect(answer.explanation?.label).toBe('label');
  });

  it('draws the picture in its own proportions, by parameter or by media type', async () => {
    const key = await headOf(['cat', 'dog']);
    const response = await isolate.classify(key, 'pets', '?explain=dog&explain_format=png');
    const accepted = await isolate.call('/v1/heads/pets/classify?explain=dog', {
      key,
      type: 'image/jpeg',
      body: JPEG,
      headers: { accept: 'image/png' },
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(new Uint8Array(await accepted.arrayBuffer())).toEqual(bytes);
    const drawn = await runtime.decoder.decode(bytes, { width: 8, height: 8 });
    const original = await runtime.decoder.decode(JPEG, { width: 8, height: 8 });
    expect(drawn.format).toBe('png');
    expect(Math.max(drawn.width, drawn.height)).toBe(512);
    expect(drawn.width / drawn.height).toBeCloseTo(original.width / original.height, 1);
    const other = await isolate.classify(key, 'pets', '?explain=cat&explain_format=png');
    expect(new Uint8Array(await other.arrayBuffer())).not.toEqual(bytes);
  });

  it('refuses labels that the head has not, formats that nobody knows, and no pictures', async () => {
    const key = await headOf(['cat', 'dog']);
    expect(await problemOf(await isolate.classify(key, 'pets', '?explain=wolf'))).toEqual({
      status: 400,
      code: 'invalid_request',
      field: 'explain',
    });
    expect(await problemOf(await isolate.classify(key, 'pets', '?explain=cat&explain_format=gif'))).toEqual({
      status: 400,
      code: 'invalid_request',
      field: 'explain_format',
    });
    const corrupt = await isolate.call('/v1/heads/pets/classify?explain=cat', {
      key,
      type: 'image/png',
      body: JPEG.subarray(0, 60),
    });
    expect((await problemOf(corrupt)).status).toBe(422);
  });
});
