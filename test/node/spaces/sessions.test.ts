/** What a tenant does with heads of two backbones and two sizes, beside each other and each alone: the same answers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifications, Taught } from '../../../src/api/index.ts';
import { readHead, score } from '../../../src/head/index.ts';
import { loadRuntime } from '../../../trainer/runtime.ts';
import { headwater } from '../trainer/workspace.ts';
import { codesBatch, post, PROBES, Session } from './session.ts';
import { HEADS, LABELS, batch, photo, SPACES } from './three-spaces.ts';

let session: Session;
beforeAll(async () => {
  session = await Session.open();
});
afterAll(() => session?.close());

/** What the trainer's code path says to a picture. */
async function expected(file: Uint8Array, picture: Uint8Array): Promise<Record<string, number>> {
  const head = readHead(file);
  const { height, width, rules } = head.input ?? SPACES.old.input;
  const { decoder, codeOf } = await loadRuntime({
    weightsSha256: head.backbone.weightsSha256,
    input: { height, width, rules },
    view: head,
  });
  const { pixels } = await decoder.decode(picture, { height, width, rules });
  const { probabilities } = score(head, codeOf(pixels));
  return Object.fromEntries(head.labels.map((label, i) => [label, probabilities[i]]));
}

describe('heads of three code spaces', () => {
  it.each(HEADS)('%s reads its own space, and answers as the trainer and as alone', async (head) => {
    const file = await session.currentFile(session.here.key, head);
    const { backbone, input } = readHead(file);
    expect(backbone.name).toBe(SPACES[head].backbone);
    expect(input ?? SPACES.old.input).toEqual(SPACES[head].input);
    expect((await session.embed(head, PROBES[0])).space.input).toEqual(SPACES[head].input);
    for (const picture of PROBES) {
      const { predictions } = await session.alike(head, (key) => session.classify(key, head, picture));
      const said = Object.fromEntries(predictions.map(({ label, score: its }) => [label, its]));
      expect(said).toEqual(await expected(file, picture));
    }
  });

  it('answer one request together, in any order, as each alone', async () => {
    for (const order of [HEADS, HEADS.toReversed(), ['edge', 'old', 'edge', 'large'] as const]) {
      for (const picture of PROBES.slice(0, 2)) {
        const path = `/v1/classify?heads=${order.join()}`;
        const { results } = Classifications.parse(await session.callJson(path, post(picture)));
        expect(results.map(({ head }) => head)).toEqual(order);
        for (const [i, head] of order.entries()) {
          const { image: _, ...alone } = await session.classify(session.here.alone[head], head, picture);
          expect(results[i]).toEqual(alone);
        }
      }
    }
  });

  it.each(HEADS)('%s explains its answer on maps of its own', async (head) => {
    const { explanation, predictions } = await session.alike(head, (key) =>
      session.classify(key, head, PROBES[0], '?explain=glass'),
    );
    expect(predictions).toEqual((await session.classify(session.here.key, head, PROBES[0])).predictions);
    if (explanation === undefined) expect.fail('there is no explanation');
    const { grid, bias, logit } = explanation;
    const sum = grid.shares.flat().reduce((total, share) => total + share, bias);
    expect(Math.abs(sum - logit)).toBeLessThan(1e-5 * Math.max(1, Math.abs(logit)));
  });

  it.each(HEADS)('%s goes on learning in its space, pictures and codes', async (head) => {
    const taught = await session.alike(head, async (key) => {
      await session.callJson(`/v1/heads/${head}/teach`, { method: 'POST', body: batch(2, 10) }, key);
      const codes = codesBatch(await session.embed(head, photo('train', 'paper', 14)), 'paper');
      const { changes: _, ...answer } = Taught.parse(
        await session.callJson(`/v1/heads/${head}/teach`, codes, key),
      );
      return answer;
    });
    expect(taught).toMatchObject({ version: 3, added: 1 });
    const file = await session.currentFile(session.here.key, head);
    expect(file).toEqual(await session.currentFile(session.here.alone[head], head));
    const { backbone, input } = readHead(file);
    expect(backbone.name).toBe(SPACES[head].backbone);
    expect(input ?? SPACES.old.input).toEqual(SPACES[head].input);
  });

  it('are exported as they are', async () => {
    const shapes = { old: 224, edge: 160, large: 224 };
    for (const head of HEADS) {
      const path = join(session.folder, `${head}.safetensors`);
      writeFileSync(path, await session.currentFile(session.here.key, head));
      const run = ['export', path, '--format', 'onnx', '--out', `${head}-onnx`];
      const { code, stderr } = await headwater(run, { cwd: session.folder });
      expect(code, stderr).toBe(0);
      expect(stderr).toContain(`uint8 [n, ${shapes[head]}, ${shapes[head]}, 3]`);
      expect(JSON.parse(readFileSync(join(session.folder, `${head}-onnx/labels.json`), 'utf8'))).toEqual(
        LABELS,
      );
    }
  });
});
