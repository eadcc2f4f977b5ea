/** Heads of one backbone at several sizes: in one request, in other protocols, explained. */
import { describe, expect, it, vi } from 'vitest';
import type { Classification } from '../../src/api/index.ts';
import { writeHead, type PictureInput } from '../../src/head/index.ts';
import { extractFeatures } from '../../worker/predict/features.ts';
import { RequestWork } from '../../worker/isolate/request-work.ts';
import { JPEG } from './support.ts';
import { headAt, older, OWN, SMALL, usual } from './two-sizes.ts';

describe('several code spaces in one request', async () => {
  const inputs: PictureInput[] = [
    OWN,
    SMALL,
    { ...SMALL, rules: 1 },
    { height: 128, width: 128, rules: 2 },
    { ...OWN, rules: 2 },
  ];
  const heads = await Promise.all(inputs.flatMap((input) => [headAt(input, 1), headAt(input, 2)]));

  it('are decoded once, run once each, and answer bit for bit as alone', async () => {
    const { key } = await older.newTenant();
    for (const [i, head] of heads.entries())
      expect((await older.put(key, `h${i}`, writeHead(head))).status).toBe(201);
    const names = heads.map((_, i) => `h${i}`);
    const runtimes = await Promise.all(inputs.map((input) => usual.of({ backbone: usual.plan, input })));
    expect(new Set(runtimes).size).toBe(inputs.length);
    const decode = vi.spyOn(usual.decoder, 'decodeAll');
    // The engine that all sizes share.
    const run = vi.spyOn(usual.engine, 'codes');
    const response = await older.call(`/v1/classify?heads=${names.join()}`, {
      key,
      type: 'image/jpeg',
      body: JPEG,
    });
    const { results } = await response.json<{ results: Classification[] }>();
    expect(run.mock.calls.map(([, size]) => size)).toEqual([undefined, ...inputs.slice(1)]);
    expect(decode).toHaveBeenCalledTimes(1);
    expect(decode.mock.calls[0][1]).toEqual(inputs);
    vi.restoreAllMocks();
    for (const [i, name] of names.entries()) {
      const alone = await (await older.classify(key, name)).json<Classification>();
      expect(alone.predictions).toEqual(results[i].predictions);
      expect(alone.unknown).toEqual(results[i].unknown);
    }
    // Both rules decode a picture this small alike: two heads at each of three sizes.
    expect(new Set(results.map(({ unknown }) => unknown.score)).size).toBe(6);
  });

  it('are charged to the work of the request', async () => {
    const loaded = await Promise.all(
      inputs.map(async (_, i) => ({ head: heads[2 * i], runtime: await usual.of(heads[2 * i]) })),
    );
    const work = new RequestWork();
    const spent = vi.spyOn(work, 'nextRun');
    await extractFeatures(JPEG, work, loaded);
    expect(spent.mock.calls.map(([runnable]) => runnable.input)).toEqual(inputs);
    const [own, less] = await Promise.all(
      [OWN, SMALL].map((input) => usual.of({ backbone: usual.plan, input })),
    );
    // MobileNetV3-Small has 55.2 million multiply-adds at 224 pixels, and half as many at 160.
    expect(own.workNs / 1e6).toBeCloseTo(55.2 * 0.04, 1);
    expect(less.workNs / own.workNs).toBeCloseTo((160 / 224) ** 2, 1);
  });

  it('are refused where they are too many for the pictures, and not all run', async () => {
    const plan = { name: 'efficientnet-lite0' };
    // What it takes at 128, 160, 192, 224 and 288 pixels, by both pixel rules, and a network of a sixth of it besides.
    const spaces = [128, 160, 192, 224, 288].flatMap((side) => {
      const workNs = (390e6 * (side / 224) ** 2 * 40) / 1000;
      return [workNs, workNs, workNs / 6, workNs / 6].map((each) => ({
        plan,
        input: { height: side, width: side },
        workNs: each,
      }));
    });
    expect(spaces).toHaveLength(20);
    const runs = async (pictures: number): Promise<number> => {
      const work = new RequestWork();
      let ran = 0;
      for (let i = 0; i < pictures; i++) {
        await work.nextPicture();
        for (const space of spaces) {
          await work.nextRun(space);
          ran++;
        }
      }
      return ran;
    };
    await expect(runs(32)).rejects.toMatchObject({
      code: 'too_much_work',
      message: expect.stringMatching(
        /^Running efficientnet-lite0 at \d+×\d+ pixels on picture \d+ of this request takes about \d+ ms/,
      ) as unknown,
    });
    expect(await runs(8)).toBe(160);
  });

  it('give way to others between two runs, and not before the first', async () => {
    const work = new RequestWork();
    const rest = vi.spyOn(work, 'rest');
    const runnable = await usual.of({ backbone: usual.plan, input: SMALL });
    await work.nextPicture();
    await work.nextRun(runnable);
    expect(rest).not.toHaveBeenCalled();
    await work.nextRun(runnable);
    expect(rest).toHaveBeenCalledTimes(1);
    await work.nextPicture();
    await work.nextRun(runnable);
    expect(rest).toHaveBeenCalledTimes(2);
  });
});

describe('a head of another size than the default', async () => {
  const { key } = await older.newTenant();
  await older.put(key, 'pets', writeHead(await headAt(SMALL)));

  it('answers pixels of its size, and says it, in the Open Inference Protocol', async () => {
    const { inputs } = await (
      await older.call('/v2/models/pets', { key })
    ).json<{
      inputs: { name: string; shape: number[] }[];
    }>();
    expect(inputs.find(({ name }) => name === 'pixels')?.shape).toEqual([-1, 160, 160, 3]);
    const { pixels } = await usual.decoder.decode(JPEG, SMALL);
    const infer = (shape: number[], data: number[]): Promise<Response> =>
      older.call('/v2/models/pets/infer', {
        key,
        json: {
          inputs: [{ name: 'pixels', datatype: 'UINT8', shape, data }],
          outputs: [{ name: 'probabilities' }],
        },
      });
    const { outputs } = await (
      await infer([1, 160, 160, 3], [...pixels])
    ).json<{ outputs: { data: number[] }[] }>();
    const { predictions } = await (await older.classify(key, 'pets')).json<Classification>();
    expect(outputs[0].data.toSorted((a, b) => b - a)).toEqual(predictions.map(({ score }) => score));
    const other = await infer([1, 224, 224, 3], Array<number>(224 * 224 * 3).fill(9));
    expect(other.status).toBe(400);
    expect(await other.json()).toMatchObject({ code: 'invalid_request' });
  });

  it('explains its answer on maps of its size', async () => {
    const answer = await (await older.classify(key, 'pets', '?explain=cat')).json<Classification>();
    const { predictions } = await (await older.classify(key, 'pets')).json<Classification>();
    expect(answer.predictions).toEqual(predictions);
    const { grid, bias, logit } = answer.explanation!;
    const sum = grid.shares.flat().reduce((total, share) => total + share, bias);
    expect(sum).toBeCloseTo(logit, 4);
  });
});
