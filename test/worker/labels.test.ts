/** Labels that look the same are one class, however they were typed; text that is no text is refused. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { ExampleList, Taught } from '../../src/api/index.ts';
import { codes, batch } from './batches.ts';
import { Isolate, picture, problemOf, stubOf } from './support.ts';

const isolate = new Isolate();
const KAESE = 'Käse';
const DECOMPOSED = KAESE.normalize('NFD');
const FORM = 'multipart/form-data; boundary=XX';
const PICTURES = ['progressive.jpg', 'palette-alpha.png', 'lossy.webp', 'progressive.jpg'].map(picture);

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A form whose field's name, or whose label, is of these bytes. */
function form(...fields: (readonly [name: Uint8Array, content: Uint8Array, file?: boolean])[]): Uint8Array {
  const parts = fields.flatMap(([name, content, file = true]) => [
    utf8('--XX\r\ncontent-disposition: form-data; name="'),
    name,
    utf8(file ? '"; filename="a.jpg"\r\n\r\n' : '"\r\n\r\n'),
    content,
    utf8('\r\n'),
  ]);
  return Uint8Array.from([...parts, utf8('--XX--\r\n')].flatMap((part) => [...part]));
}

/** "Käse" in Latin-1. */
const LATIN1 = Uint8Array.of(0x4b, 0xe4, 0x73, 0x65);

describe('labels', () => {
  it('are one class in any normal form and with blanks around, in forms and in JSON', async () => {
    const { key } = await isolate.newTenant();
    const teach = (options: object) => isolate.call('/v1/heads/food/teach?train=false', { key, ...options });
    const named = form(
      [utf8(KAESE), PICTURES[0]],
      [utf8(DECOMPOSED), PICTURES[1]],
      [utf8(' glass '), PICTURES[2]],
    );
    expect((await teach({ body: named, type: FORM })).status).toBe(200);
    const [first, second] = codes('x', 2);
    const json = batch([
      { ...first, label: `\t${DECOMPOSED}\u00a0` },
      { ...second, label: 'glass' },
    ]);
    const response = await teach({ json });
    const { classes } = await response.json<Taught>();
    expect(classes.map(({ label, examples }) => [label, examples])).toEqual([
      [KAESE, 3],
      ['glass', 2],
    ]);
    for (const label of [KAESE, DECOMPOSED, ` ${KAESE}`]) {
      const path = `/v1/heads/food/examples?label=${encodeURIComponent(label)}`;
      expect((await (await isolate.call(path, { key })).json<ExampleList>()).total).toBe(3);
    }
    const path = `/v1/heads/food/classes/${encodeURIComponent(DECOMPOSED)}`;
    expect(await (await isolate.call(path, { key, method: 'DELETE' })).json()).toMatchObject({
      forgotten: 3,
    });
  });

  it('that were stored before they were normalised are found as they are', async () => {
    const { key, id } = await isolate.newTenant();
    await isolate.call('/v1/heads/food/teach?train=false', { key, json: batch(codes('cat', 2)) });
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      storage.sql.exec('UPDATE examples SET label = ?', DECOMPOSED);
    });
    const total = async (label: string) => {
      const path = `/v1/heads/food/examples?label=${encodeURIComponent(label)}`;
      return (await (await isolate.call(path, { key })).json<ExampleList>()).total;
    };
    expect([await total(DECOMPOSED), await total(KAESE)]).toEqual([2, 0]);
    const path = `/v1/heads/food/classes/${encodeURIComponent(DECOMPOSED)}`;
    expect(await (await isolate.call(path, { key, method: 'DELETE' })).json()).toMatchObject({
      forgotten: 2,
    });
  });

  it.each([
    ['a name that is no UTF-8', form([LATIN1, PICTURES[0]])],
    ['a label that is no UTF-8', form([utf8('label'), LATIN1, false], [utf8('image'), PICTURES[0]])],
    ['half a character', form([utf8(KAESE).subarray(0, 2), PICTURES[0]])],
    ['a surrogate in UTF-8', form([Uint8Array.of(0xed, 0xa0, 0x80), PICTURES[0]])],
  ])('of %s are refused', async (_, body) => {
    const { key } = await isolate.newTenant();
    const response = await isolate.call('/v1/heads/food/teach', { key, body, type: FORM });
    expect(await problemOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('of marks without end are refused before they are put in order', async () => {
    const { key } = await isolate.newTenant();
    // Marks of two classes by turns: normalising sorts them, one by one.
    const json = batch([{ ...codes('x', 1)[0], label: '\u0301\u0327'.repeat(200_000) }]);
    const response = await isolate.call('/v1/heads/food/teach', { key, json });
    expect(await problemOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
