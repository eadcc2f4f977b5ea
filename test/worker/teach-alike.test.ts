/** Teaching pictures whose codes are the same: copies of a picture, flat ones, classes that cannot be told apart. */
import { describe, expect, it } from 'vitest';
import type { Classification, Taught } from '../../src/api/index.ts';
import { encodePng } from '../../src/image/png/encode.ts';
import { Isolate, JPEG, picture } from './support.ts';
import { form, variant } from './two-backbones.ts';

const isolate = new Isolate();
const PHOTO = picture('exif-6.jpg');

/** A picture of one grey; others of the same grey have other bytes. */
function flat(grey: number, i: number): Uint8Array {
  const side = 40 + i;
  return encodePng(new Uint8Array(side * side * 3).fill(grey), { height: side, width: side });
}

async function teach(key: string, fields: readonly (readonly [string, Uint8Array])[]): Promise<Taught> {
  const response = await isolate.call('/v1/heads/pets/teach', { key, body: form(fields) });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

async function classify(key: string, body: Uint8Array): Promise<Classification> {
  const response = await isolate.call('/v1/heads/pets/classify', { key, type: 'image/*', body });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

const each = (count: number, of: (i: number) => [string, Uint8Array][]): [string, Uint8Array][] =>
  Array.from({ length: count }, (_, i) => of(i)).flat();

describe('pictures that are alike', () => {
  it('make a head that tells one picture a class from the other, and knows both', async () => {
    const { key } = await isolate.newTenant();
    const copies = each(3, (i) => [
      ['cat', variant(i)],
      ['dog', variant(i, PHOTO)],
    ]);
    const { version, leave_one_out: judged } = await teach(key, copies);
    expect(version).toBe(1);
    expect(judged).toMatchObject({ examples: 6, accuracy: 1 });
    for (const [label, bytes] of [
      ['cat', JPEG],
      ['dog', PHOTO],
    ] as const) {
      const { predictions, unknown } = await classify(key, bytes);
      expect(predictions[0].label).toBe(label);
      expect(unknown.is_unknown).toBe(false);
    }
    expect(await teach(key, [['emu', flat(200, 0)]])).toMatchObject({ version: 2 });
  });

  it.each([
    ['one picture under both labels', (i: number): Uint8Array => variant(i)],
    ['flat pictures of one grey', (i: number): Uint8Array => flat(128, i)],
    ['black pictures', (i: number): Uint8Array => flat(0, i)],
  ])('make one that does not know: %s', async (_, copy) => {
    const { key } = await isolate.newTenant();
    const taught = await teach(
      key,
      each(3, (i) => [
        ['cat', copy(2 * i)],
        ['dog', copy(2 * i + 1)],
      ]),
    );
    expect(taught).toMatchObject({ version: 1, examples: 6 });
    expect(taught.leave_one_out?.accuracy).toBeLessThanOrEqual(0.5);
    const { predictions, unknown } = await classify(key, copy(9));
    expect(predictions[0].score).toBeCloseTo(0.5, 3);
    expect(unknown.is_unknown).toBe(false);
  });
});
