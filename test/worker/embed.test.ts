/** /v1/embed: codes of what new heads read, or of another backbone, at another size, by other pixel rules. */
import { describe, expect, it } from 'vitest';
import { defaultInput } from '../../src/head/picture-input.ts';
import { JPEG, problemOf } from './support.ts';
import { BACKBONE, codeOf, embed, newer, OWN, SMALL, small, usual } from './two-sizes.ts';

describe('/v1/embed', async () => {
  const { key } = await newer.newTenant();

  it('says the space of what new heads read', async () => {
    const { backbone, space } = await embed(newer, key);
    expect(backbone).toEqual(BACKBONE);
    expect(space.input).toEqual(SMALL);
    expect(space.taps).toEqual(small.plan.taps.map(({ name }) => name));
    expect(space.statistics).toEqual(space.taps.map(() => 'mean'));
  });

  it('makes codes of a backbone by name, at a size', async () => {
    const { embeddings, space } = await embed(newer, key, '&backbone=sized&size=128');
    expect(space.input).toEqual({ height: 128, width: 128, rules: 2 });
    const wanted = Float16Array.from(await codeOf(space.input!, JPEG));
    expect(embeddings[0].code).toBe(new Uint8Array(wanted.buffer).toBase64());
    expect((await embed(newer, key, '&size=192')).space.input).toEqual({ height: 192, width: 192, rules: 2 });
    expect((await embed(newer, key, '&rules=1')).space.input).toEqual({ ...SMALL, rules: 1 });
  });

  it('makes codes of another backbone as its new heads read them, or by other rules', async () => {
    const lite = await embed(newer, key, '&backbone=efficientnet-lite0');
    expect(lite.backbone.name).toBe('efficientnet-lite0');
    expect(lite.space.input).toEqual({ height: 160, width: 160, rules: 2 });
    for (const rules of [1, 2]) {
      const { backbone, space } = await embed(newer, key, `&backbone=mobilenet-v3-small&rules=${rules}`);
      expect(backbone.name).toBe('mobilenet-v3-small');
      expect(space.input).toEqual({ ...OWN, rules });
    }
    const unsaid = await embed(newer, key, '&backbone=mobilenet-v3-small');
    const { plan } = (await usual.named('mobilenet-v3-small'))!;
    expect(unsaid.space.input).toEqual(defaultInput(plan));
  });

  it.each([
    ['backbone=unknown', 'backbone', 'but efficientnet-lite0, mobilenet-v3-small, sized'],
    ['backbone=sized&size=161', 'size', 'run at 224×224, 128×128, 160×160, 192×192 pixels'],
    ['backbone=mobilenet-v3-small&size=160', 'size', 'run at 224×224 pixels'],
    ['size=0', 'size', 'whole number'],
    ['size=160.5', 'size', 'whole number'],
    ['head=pets&backbone=sized', 'backbone', 'a head has codes of its own'],
    ['head=pets&size=160', 'size', 'a head has codes of its own'],
    ['rules=3', 'rules', ''],
    ['head=pets&rules=1', 'rules', 'a head has codes of its own'],
  ])('refuses %s', async (query, field, detail) => {
    const response = await newer.call(`/v1/embed?${query}`, { key, type: 'image/jpeg', body: JPEG });
    const { detail: said } = await response.clone().json<{ detail: string }>();
    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', field });
    expect(said).toContain(detail);
  });
});
