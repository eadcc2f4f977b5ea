/** A fresh isolate: what its start costs, and how much longer its first request takes than its hundredth. */
import { REFERENCE } from '../engines.ts';
import { firstAndHundredth, summarise, type Spread } from '../measure.ts';
import { lite0 } from '../networks.ts';
import { createDecoder } from '../pictures.ts';
import { megabytes, type Section, spreadText } from '../section.ts';
import type { Entry } from '../worker-bundle.ts';
import { type BenchWorker, startBenchWorker } from '../worker-host.ts';
import { onMobileNet } from '../workers.ts';

const OURS = 'simd32-relaxed';
const LITE0 = 'EfficientNet-Lite0, 160 px, simd8-relaxed';

const ENTRIES: Readonly<Record<string, Entry>> = {
  ...onMobileNet({
    'nothing at all': 'empty',
    [REFERENCE]: 'tfjs',
    simd32: 'simd',
    [OURS]: 'simd-relaxed',
    'simd16-relaxed': 'simd16-relaxed',
    'onnxruntime-web': 'ort',
    'LiteRT.js': 'litert',
  }),
  [LITE0]: { worker: 'simd8-relaxed', network: 'lite0-160' },
};

interface Start {
  readonly startCpuMs: number;
  readonly firstMs: number;
  readonly hundredthMs: number;
  readonly firstToHundredth: number;
  readonly residentBytes: number;
}

export const startUp: Section = {
  name: 'start-up',
  title: 'A fresh workerd process with one engine: start and first request',
  async run({ pixels, pictures, quick, log }) {
    const { pixels: lite0Pixels } = await createDecoder().decode(pictures[0].bytes, lite0(160).input);
    const names = Object.keys(ENTRIES);
    const starts = new Map(names.map((name): [string, Start[]] => [name, []]));
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      for (const name of names)
        starts.get(name)!.push(await oneStart(ENTRIES[name], name === LITE0 ? lite0Pixels : pixels));
      log(`  round ${round + 1}`);
    }
    const spreads = new Map(Array.from(starts, ([name, samples]) => [name, summary(samples)]));
    const base = spreads.get(names[0])!.residentBytes.median;
    const above = (name: string): number => spreads.get(name)!.residentBytes.median - base;
    const started = (name: string): number =>
      spreads.get(name)!.startCpuMs.median - spreads.get(names[0])!.startCpuMs.median;
    return {
      tables: [
        {
          columns: [
            '',
            'start, CPU ms (p10–p90)',
            'first ms (p10–p90)',
            'hundredth ms (p10–p90)',
            'first/hundredth',
            'process MB',
            'of it the engine’s',
          ],
          rows: Array.from(spreads, ([name, { residentBytes, ...spread }]) => [
            name,
            spreadText(spread.startCpuMs),
            spreadText(spread.firstMs),
            spreadText(spread.hundredthMs),
            spreadText(spread.firstToHundredth),
            megabytes(residentBytes.median),
            megabytes(above(name)),
          ]),
        },
      ],
      notes: [
        'Start: CPU of the whole process until it has answered a request that does nothing, so the first row is to be',
        'taken off. Our engine and tfjs see pictures at start-up, as in the real Worker; onnxruntime-web and LiteRT.js cannot',
        'be prepared there and are in their first request. Times over HTTP.',
      ],
      goals: [
        {
          what: 'First picture of a fresh isolate with the engine alone, of a warm one',
          atMost: 1.5,
          measured: spreads.get(OURS)!.firstToHundredth.median,
        },
        {
          what: 'Memory of an isolate with the engine alone, of the same with tfjs',
          atMost: 0.7,
          measured: above(OURS) / above(REFERENCE),
        },
        {
          what: 'Start of an isolate with Lite0 at 160 px on 8 bits, of one with the MobileNet',
          atMost: 2,
          measured: started(LITE0) / started(OURS),
        },
        {
          what: 'Process with Lite0 at 160 px on 8 bits: more than with the MobileNet',
          atMost: 20,
          measured: (above(LITE0) - above(OURS)) / 1e6,
          unit: 'MB',
        },
      ],
      data: Object.fromEntries(spreads),
    };
  },
};

async function oneStart(entry: Entry, pixels: Uint8Array): Promise<Start> {
  const worker = await startBenchWorker(entry);
  try {
    await worker.put('input', pixels);
    const startCpuMs = worker.cpuMs() ?? Number.NaN;
    const { firstMs, hundredthMs } = await firstAndHundredth(() => timed(worker));
    const residentBytes = worker.residentBytes() ?? Number.NaN;
    return { startCpuMs, firstMs, hundredthMs, firstToHundredth: firstMs / hundredthMs, residentBytes };
  } finally {
    await worker.close();
  }
}

async function timed(worker: BenchWorker): Promise<number> {
  const start = performance.now();
  await worker.work('codes', 1);
  return performance.now() - start;
}

function summary(starts: readonly Start[]): Record<keyof Start, Spread> {
  const of = (key: keyof Start): Spread => summarise(starts.map((start) => start[key]));
  return {
    startCpuMs: of('startCpuMs'),
    firstMs: of('firstMs'),
    hundredthMs: of('hundredthMs'),
    firstToHundredth: of('firstToHundredth'),
    residentBytes: of('residentBytes'),
  };
}
