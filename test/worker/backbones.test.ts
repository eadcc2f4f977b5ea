/** Heads of several backbones in one deployment, and in one request. */
import { describe, expect, it, vi } from 'vitest';
import planJson from '../../backbones/mobilenet-v3-small/plan.json';
import weights from '../../backbones/mobilenet-v3-small/weights.safetensors';
import type { Classification } from '../../src/api/index.ts';
import { score, writeHead, type Head } from '../../src/head/index.ts';
import { extendHead } from '../../src/learn/further/extend.ts';
import { importedHead } from '../../src/learn/imported.ts';
import { createRuntime } from '../../worker/isolate/runtime.ts';
import { type Runtime } from '../../worker/isolate/backbones.ts';
import { Isolate, JPEG, makeHeadFile, picture, problemOf, testEnv } from './support.ts';

/** The built-in network with pictures of another size and its last tap alone: as good as another network. */
const OTHER_HASH = 'e'.repeat(64);
const otherPlan = {
  ...planJson,
  name: 'other',
  version: '7',
  weightsSha256: OTHER_HASH,
  input: { ...planJson.input, height: 96, width: 128 },
  taps: planJson.taps.slice(-1),
};
const OTHER = { weightsSha256: OTHER_HASH, plan: otherPlan, weights };

function otherHead(labels: string[], codeLength: number): Head {
  return importedHead({
    backbone: { name: 'other', version: '7', weightsSha256: OTHER_HASH },
    taps: [otherPlan.taps[0].name],
    labels,
    weights: Float32Array.from({ length: labels.length * codeLength }, (_, i) => Math.sin(i)),
    bias: new Float32Array(labels.length),
    prior: { mean: new Float32Array(codeLength), deviation: new Float32Array(codeLength).fill(0.5) },
    hidden: 0,
  });
}

/** What the backbone of a head says directly. */
async function expected(its: Runtime, head: Head): Promise<Float32Array> {
  const { pixels } = await its.decoder.decode(JPEG, its.plan.input);
  return score(head, its.engine.codes(pixels)).probabilities;
}

describe('a deployment with a second backbone', async () => {
  const builtIn = await createRuntime([OTHER]);
  const head = otherHead(['left', 'right', 'up'], otherPlan.taps[0].channels);
  const isolate = new Isolate(testEnv, builtIn);

  it('makes it when it is first needed, once', async () => {
    const first = await builtIn.of(head);
    expect(first).not.toBe(builtIn);
    expect(first.plan).toMatchObject({ name: 'other', input: { height: 96, width: 128 } });
    expect(await builtIn.of(head)).toBe(first);
    expect(await first.of(head)).toBe(first);
    expect(await first.of({ backbone: builtIn.plan, input: builtIn.input })).toBe(builtIn);
  });

  it('answers for heads of both in one request, running each once', async () => {
    const { key } = await isolate.newTenant();
    expect((await isolate.put(key, 'own', await makeHeadFile(['a', 'b']))).status).toBe(201);
    expect((await isolate.put(key, 'own2', await makeHeadFile(['a', 'b'], 9))).status).toBe(201);
    expect((await isolate.put(key, 'theirs', writeHead(head))).status).toBe(201);
    expect(
      (await isolate.put(key, 'theirs2', writeHead(otherHead(['x', 'y'], head.codeLength)))).status,
    ).toBe(201);
    const other = await builtIn.of(head);
    const runs = [builtIn, other].map(({ engine }) => vi.spyOn(engine, 'codes'));
    const response = await isolate.call('/v1/classify?heads=theirs,own,theirs2,own2&top_k=3', {
      key,
      type: 'image/jpeg',
      body: JPEG,
    });
    expect(response.status).toBe(200);
    const { results } = await response.json<{ results: Classification[] }>();
    expect(runs.map((run) => run.mock.calls.length)).toEqual([1, 1]);
    expect(results.map((result) => result.head)).toEqual(['theirs', 'own', 'theirs2', 'own2']);
    await sameAnswer(other, head, results[0]);

    const alone = await (await isolate.classify(key, 'theirs', '?top_k=3')).json<Classification>();
    expect(runs.map((run) => run.mock.calls.length)).toEqual([1, 3]); // `sameAnswer` ran it too
    expect(alone.predictions).toEqual(results[0].predictions);
    expect(alone.image).toEqual({ width: 96, height: 64, format: 'jpeg' });
  });

  it('answers for a head that was taught one more label', async () => {
    const { key } = await isolate.newTenant();
    const other = await builtIn.of(head);
    const { pixels } = await other.decoder.decode(JPEG, other.plan.input);
    const code = Float16Array.from(other.engine.codes(pixels));
    const taught = await extendHead(head, { labels: ['new'], codes: code, targets: Uint16Array.of(0) });
    expect((await isolate.put(key, 'taught', writeHead(taught))).status).toBe(201);
    const answer = await (await isolate.classify(key, 'taught', '?top_k=4')).json<Classification>();
    expect(answer.predictions[0].label).toBe('new');
    expect(answer.predictions).toHaveLength(4);
  });

  it('is taught through the API on codes of its own backbone, and keeps its old answers', async () => {
    const { key } = await isolate.newTenant();
    await isolate.put(key, 'theirs', writeHead(head));
    const body = new FormData();
    const pictures = ['lossy.webp', 'palette-alpha.png', 'rgb16.png'].map(picture);
    for (const bytes of pictures) body.append('new', new Blob([bytes]), 'photo');
    const answer = await isolate.call('/v1/heads/theirs/teach', { key, body });
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(await answer.json()).toMatchObject({ version: 2, current: true, added: 3 });
    const other = await builtIn.of(head);
    const codes = await Promise.all(
      pictures.map(async (bytes) => {
        const { pixels } = await other.decoder.decode(bytes, other.plan.input);
        return [...other.engine.codes(pixels)];
      }),
    );
    const targets = new Uint16Array(3);
    const wanted = await extendHead(head, {
      labels: ['new'],
      codes: Float16Array.from(codes.flat()),
      targets,
    });
    const said = await (await isolate.classify(key, 'theirs', '?top_k=4')).json<Classification>();
    await sameAnswer(other, wanted, said);
    expect(said.predictions.map(({ label }) => label)).toContain('new');
    const forgotten = await isolate.call('/v1/heads/theirs/classes/new', { key, method: 'DELETE' });
    expect(forgotten.status).toBe(200);
    const before = await (await isolate.classify(key, 'theirs', '?top_k=4')).json<Classification>();
    expect(before.version).toBe(1);
    await sameAnswer(other, head, before);
  });

  it('refuses a head of a third', async () => {
    const { key } = await isolate.newTenant();
    const strange = { ...head, backbone: { ...head.backbone, weightsSha256: 'd'.repeat(64) } };
    const response = await isolate.put(key, 'strange', writeHead(strange));
    expect(await problemOf(response)).toMatchObject({ code: 'backbone_mismatch' });
  });
});

async function sameAnswer(its: Runtime, head: Head, { predictions }: Classification): Promise<void> {
  const probabilities = await expected(its, head);
  for (const { label, score } of predictions) {
    expect(Math.abs(score - probabilities[head.labels.indexOf(label)])).toBeLessThan(1e-6);
  }
}
