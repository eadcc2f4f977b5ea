/** Models in and out on the command line: an import answers, is exported, comes back as a backbone, is trained on. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { metadataOf, mobileNetV1, savedFiles } from '../import/keras.ts';
import { headwater, png, temporaryFolder, writeColours, writeFiles } from './workspace.ts';

const OPTIONS = { size: 64, grey: false, labels: ['left', 'right'] };

const Imported = z.object({
  backbone: z.object({ path: z.string(), name: z.string(), weights_sha256: z.string() }),
  parity: z.object({ largest_difference: z.number() }),
});
const Added = z.object({ code_length: z.int(), parity: z.array(z.object({ cosine: z.number() })) });
const Classified = z.object({
  results: z.array(z.object({ predictions: z.array(z.object({ label: z.string(), score: z.number() })) })),
});
const Failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** A folder to work in, with an export of Teachable Machine in `tm`. */
async function workspace(): Promise<{ cwd: string; env: Record<string, string> }> {
  const cwd = temporaryFolder();
  const parts = Object.fromEntries(await savedFiles(await mobileNetV1(OPTIONS)));
  writeFiles(join(cwd, 'tm'), { ...parts, 'metadata.json': JSON.stringify(metadataOf(OPTIONS)) });
  writeFiles(cwd, { 'picture.png': png(0, 1) });
  return { cwd, env: { HEADWATER_BACKBONES: join(cwd, 'backbones') } };
}

/** Serves a folder's files. @returns its address. */
async function served(folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const file = join(folder, new URL(request.url ?? '', 'http://x').pathname);
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('models', () => {
  test('in, out, in again and trained on', async () => {
    const run = await workspace();
    const { cwd } = run;
    const imported = await headwater(
      ['import', 'teachable-machine', 'tm', '--out', 'h.safetensors', '--json'],
      run,
    );
    expect(imported).toMatchObject({ code: 0 });
    const { backbone, parity } = Imported.parse(JSON.parse(imported.stdout));
    expect(parity.largest_difference).toBeLessThan(1e-5);
    expect(readdirSync(backbone.path).sort()).toEqual(['MODEL_CARD.md', 'plan.json', 'weights.safetensors']);
    expect(readFileSync(join(backbone.path, 'MODEL_CARD.md'), 'utf8')).toContain(backbone.weights_sha256);

    const classified = await headwater(['classify', 'picture.png', '--head', 'h.safetensors', '--json'], run);
    const { results } = Classified.parse(JSON.parse(classified.stdout));
    expect(results[0].predictions.map(({ label }) => label).sort()).toEqual(['left', 'right']);

    for (const format of ['onnx', 'tflite', 'tfjs-graph']) {
      expect(
        await headwater(['export', 'h.safetensors', '--format', format, '--out', format], run),
      ).toMatchObject({ code: 0 });
    }
    expect(readdirSync(join(cwd, 'onnx')).sort()).toEqual(['labels.json', 'model.onnx']);
    expect(readdirSync(join(cwd, 'tflite')).sort()).toEqual(['labels.json', 'model.tflite']);

    const address = `${await served(join(cwd, 'tfjs-graph'))}/model.json`;
    const added = await headwater(
      ['backbone', 'add', address, '--name', 'again', '--pixels', '0..255', '--json'],
      run,
    );
    expect(added).toMatchObject({ code: 0 });
    const { code_length: codeLength, parity: taps } = Added.parse(JSON.parse(added.stdout));
    expect(codeLength).toBeGreaterThan(256);
    for (const tap of taps) expect(tap.cosine).toBeGreaterThan(0.999999);

    writeColours(join(cwd, 'colours'), 4);
    const train = ['train', 'colours', '--strategy', 'linear-all', '--out', 'c.safetensors', '--no-report'];
    expect(await headwater([...train, '--backbone', 'again'], run)).toMatchObject({ code: 0 });
    const judged = await headwater(['eval', 'colours', '--head', 'c.safetensors', '--json'], run);
    expect(judged.stderr).not.toContain('Error');
    expect(judged.code).toBe(0);
    expect(JSON.parse(judged.stdout)).toMatchObject({ accuracy: 1 });
    const absent = await headwater([...train, '--backbone', 'absent'], run);
    expect(absent.code).toBe(2);
    expect(absent.stderr).toContain('again, teachable-machine-');
  });

  test('what cannot be read is said', async () => {
    const run = await workspace();
    const failure = async (...args: string[]): Promise<{ code: string; message: string }> => {
      const { code, stdout } = await headwater([...args, '--json'], run);
      expect(code).not.toBe(0);
      return Failure.parse(JSON.parse(stdout)).error;
    };
    const out = ['--out', 'h.safetensors'];
    expect(await failure('import', 'teachable-machine', 'nowhere', ...out)).toMatchObject({ code: 'file' });
    expect(await failure('backbone', 'add', 'tm', '--name', 'x')).toMatchObject({
      code: 'model_unsupported',
    });
    expect(await failure('backbone', 'add', 'tm', '--name', 'Not A Name')).toMatchObject({ code: 'usage' });
    const nowhere = `${await served(run.cwd)}/x/model.json`;
    expect((await failure('backbone', 'add', nowhere, '--name', 'x')).message).toContain(
      'the server answers 404',
    );
    writeFiles(join(run.cwd, 'tm'), { 'model.json': '{"modelTopology": 7}' });
    expect(await failure('import', 'teachable-machine', 'tm', ...out)).toMatchObject({
      code: 'model_invalid',
    });
    writeFiles(join(run.cwd, 'tm'), { 'model.json': 'no JSON' });
    expect((await failure('import', 'teachable-machine', 'tm', ...out)).message).toContain(
      'model.json is not JSON',
    );
  });
});
