/** The closed-form head on real photos, through the real decoder and backbone: the figures that the product promises. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackbone } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { score } from '../../../src/head/score.ts';
import { createImageDecoder } from '../../../src/image/index.ts';
import { auroc, evaluate, unknownFigures, type Figures } from '../../../src/learn/metrics.ts';
import { trainWithFigures, type TrainedHead, type TrainingSet } from '../../../src/learn/train.ts';
import { linalg } from './linalg.ts';

const root = join(import.meta.dirname, '../../..');
const data = join(root, '../shared/data');
const missing = [
  join(data, 'trashnet'),
  join(data, 'flowers'),
  join(root, 'build/backbone/plan.json'),
].filter((path) => !existsSync(path));
if (missing.length > 0) console.warn(`Skipped, for want of ${missing.join(' and ')}.`);

const require = createRequire(import.meta.url);
const compiled = (path: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(require.resolve(path)));

/** Codes of a data set of one folder a class. */
async function loadCodes(names: readonly string[]): Promise<Map<string, TrainingSet>> {
  const plan: unknown = JSON.parse(readFileSync(join(root, 'build/backbone/plan.json'), 'utf8'));
  const weights = new Uint8Array(readFileSync(join(root, 'build/backbone/weights.safetensors')));
  const backbone = loadBackbone(plan, weights);
  const engine = await createTfjsEngine(
    backbone,
    compiled('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm'),
  );
  const decoder = createImageDecoder({
    jpeg: compiled('@cwasm/jpeg-turbo/jpeg-turbo.wasm'),
    png: compiled('../../../build/wasm/png.wasm'),
    webp: compiled('@jsquash/webp/codec/dec/webp_dec.wasm'),
    resize: compiled('../../../build/wasm/resize.wasm'),
  });
  const sets = new Map<string, TrainingSet>();
  for (const name of names) {
    const labels = readdirSync(join(data, name)).sort();
    const codes: number[] = [];
    const targets: number[] = [];
    for (const [target, label] of labels.entries()) {
      for (const file of readdirSync(join(data, name, label)).sort()) {
        const picture = new Uint8Array(readFileSync(join(data, name, label, file)));
        const { pixels } = await decoder.decode(picture, backbone.plan.input);
        codes.push(...engine.codes(pixels));
        targets.push(target);
      }
    }
    const { name: model, version, weightsSha256 } = backbone.plan;
    sets.set(name, {
      backbone: { name: model, version, weightsSha256 },
      taps: backbone.plan.taps.map((tap) => tap.name),
      labels,
      codes: Float16Array.from(codes),
      targets: Uint16Array.from(targets),
    });
  }
  return sets;
}

interface Judged {
  readonly figures: Figures;
  readonly unknown: Float64Array;
}

function judge({ head }: TrainedHead, set: TrainingSet): Judged {
  const classes = head.labels.length;
  const n = set.targets.length;
  const probabilities = new Float32Array(n * classes);
  const unknown = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const code = Float32Array.from(set.codes.subarray(i * head.codeLength, (i + 1) * head.codeLength));
    const scored = score(head, code);
    probabilities.set(scored.probabilities, i * classes);
    unknown[i] = scored.unknown.score;
  }
  const targets = set.targets.map((target) => Math.max(head.labels.indexOf(set.labels[target]), 0));
  return { figures: evaluate(probabilities, targets, classes), unknown };
}

function withoutClass(set: TrainingSet, label: number): TrainingSet {
  const d = set.codes.length / set.targets.length;
  const kept = [...set.targets.keys()].filter((i) => set.targets[i] !== label);
  const codes = new Float16Array(kept.length * d);
  kept.forEach((from, to) => codes.set(set.codes.subarray(from * d, (from + 1) * d), to * d));
  const targets = Uint16Array.from(kept, (i) => set.targets[i] - Number(set.targets[i] > label));
  return { ...set, codes, targets, labels: set.labels.filter((_, i) => i !== label) };
}

const TIMEOUT_MS = 180_000;

describe.skipIf(missing.length > 0)('on real photos', () => {
  let sets: Map<string, TrainingSet>;
  let trashnet: TrainedHead;
  beforeAll(async () => {
    sets = await loadCodes(['trashnet/train', 'trashnet/test', 'flowers/train', 'flowers/test']);
    trashnet = await trainWithFigures(sets.get('trashnet/train')!, { linalg });
  }, TIMEOUT_MS);

  it('TrashNet is told apart, and the left-out figures say how well', () => {
    const { figures } = judge(trashnet, sets.get('trashnet/test')!);
    expect(figures.accuracy).toBeGreaterThanOrEqual(0.81);
    expect(Math.abs(figures.accuracy - trashnet.figures!.accuracy)).toBeLessThanOrEqual(0.04);
    expect(figures.calibrationError).toBeLessThanOrEqual(0.06);
  });

  it('flowers are told apart', async () => {
    const flowers = await trainWithFigures(sets.get('flowers/train')!, { linalg });
    expect(judge(flowers, sets.get('flowers/test')!).figures.accuracy).toBeGreaterThanOrEqual(0.62);
  });

  it('flowers are strangers to a TrashNet head, its own test photos are not', () => {
    const known = judge(trashnet, sets.get('trashnet/test')!).unknown;
    const strangers = judge(trashnet, sets.get('flowers/test')!).unknown;
    const figures = unknownFigures(known, strangers, trashnet.head.novelty.threshold);
    expect(figures.knownPassed).toBeGreaterThanOrEqual(0.9);
    expect(figures.strangersFlagged).toBeGreaterThanOrEqual(0.9);
    expect(figures.auroc).toBeGreaterThan(0.99);
  });

  it(
    'a class left out is told from the others better than by the top probability alone',
    async () => {
      const train = sets.get('trashnet/train')!;
      const test = sets.get('trashnet/test')!;
      let sum = 0;
      for (const label of train.labels.keys()) {
        const { unknown } = judge(await trainWithFigures(withoutClass(train, label), { linalg }), test);
        const side = (isStranger: boolean) =>
          unknown.filter((_, i) => (test.targets[i] === label) === isStranger);
        sum += auroc(side(false), side(true)) / train.labels.length;
      }
      expect(sum).toBeGreaterThanOrEqual(0.76);
    },
    TIMEOUT_MS,
  );
});
