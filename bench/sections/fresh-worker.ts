/** The Worker that would be deployed in a fresh process, on stores that hold a head already: start, first request, hundredth. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureStartup } from '../../scripts/startup.ts';
import { demoHead } from '../demo-head.ts';
import { type Spread, summarise } from '../measure.ts';
import { startRealWorker } from '../real-worker.ts';
import { megabytes, type Section, spreadText } from '../section.ts';

interface Fresh {
  /** CPU of the whole process until it has answered a request that computes nothing. */
  readonly startCpuMs: number;
  readonly firstMs: number;
  readonly hundredthMs: number;
  readonly residentBytes: number;
}

export const freshWorker: Section = {
  name: 'fresh-worker',
  title: 'The real Worker in a fresh workerd process: start and first classify request',
  async run({ backbone, pictures, quick }) {
    const state = mkdtempSync(join(tmpdir(), 'headwater-bench-'));
    try {
      const key = await enrol(state, await demoHead(backbone));
      const [{ bytes: picture, name }] = pictures;
      const starts: Fresh[] = [];
      for (let round = 0; round < (quick ? 2 : 7); round++) starts.push(await oneStart(state, key, picture));
      const of = (pick: (start: Fresh) => number): Spread => summarise(starts.map(pick));
      const [first, hundredth] = [of((start) => start.firstMs), of((start) => start.hundredthMs)];
      const ratio = of((start) => start.firstMs / start.hundredthMs);
      const { lines, activeMs } = await measureStartup();
      return {
        tables: [
          {
            columns: [
              '',
              'process start, CPU ms',
              'first ms',
              'hundredth ms',
              'first/hundredth',
              'process MB',
            ],
            rows: [
              [
                `classify ${name}`,
                spreadText(of((start) => start.startCpuMs)),
                spreadText(first),
                spreadText(hundredth),
                spreadText(ratio),
                megabytes(of((start) => start.residentBytes).median),
              ],
            ],
          },
        ],
        notes: [
          'Times over HTTP, stores read included: the first request looks up its key, its head and its version.',
          'The start-up of the script alone, as wrangler profiles it:',
          ...lines,
        ],
        goals: [
          {
            what: 'First request to the real Worker, stores read, of a warm one',
            atMost: 1.5,
            measured: ratio.median,
          },
          { what: 'Start-up of the Worker', atMost: 150, measured: activeMs, unit: 'ms of CPU' },
        ],
        data: { starts, startupActiveMs: activeMs },
      };
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
  },
};

async function enrol(state: string, head: Uint8Array): Promise<string> {
  const worker = await startRealWorker({ state });
  try {
    return await worker.enrol(head);
  } finally {
    await worker.close();
  }
}

async function oneStart(state: string, key: string, picture: Uint8Array): Promise<Fresh> {
  const worker = await startRealWorker({ state });
  const timed = async (): Promise<number> => {
    const { wall } = await worker.measure(() => worker.classify(key, picture));
    return wall;
  };
  try {
    await worker.health();
    const startCpuMs = worker.cpuMs() ?? Number.NaN;
    const firstMs = await timed();
    for (let i = 2; i < 95; i++) await worker.classify(key, picture);
    const around: number[] = [];
    for (let i = 0; i < 11; i++) around.push(await timed());
    const residentBytes = worker.residentBytes() ?? Number.NaN;
    return { startCpuMs, firstMs, hundredthMs: summarise(around).median, residentBytes };
  } finally {
    await worker.close();
  }
}
