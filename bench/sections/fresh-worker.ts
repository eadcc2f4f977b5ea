/**
 * The Worker that would be deployed: the start of its process, and in an isolate that nobody has asked yet the first
 * classify request and the hundredth. The stores hold the heads already and have been read by another isolate, so that
 * their own start is not counted; Cloudflare's run, too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureStartup } from '../../scripts/build/startup.ts';
import { demoHead } from '../demo-head.ts';
import { firstAndHundredth, type Spread, summarise } from '../measure.ts';
import { usualNetwork } from '../networks.ts';
import { startRealWorker } from '../real-worker.ts';
import { megabytes, type Section, spreadText } from '../section.ts';

interface Fresh {
  /** CPU of the whole process until it has answered a request that computes nothing. */
  readonly startCpuMs: number;
  readonly firstMs: number;
  readonly hundredthMs: number;
  /** After those hundred, the first of another tenant: it reads from the stores what the first one did. */
  readonly otherMs: number;
  readonly residentBytes: number;
}

interface Keys {
  readonly tenant: string;
  readonly other: string;
}

export const freshWorker: Section = {
  name: 'fresh-worker',
  title: 'The real Worker fresh: start of the process, first classify request of an isolate',
  async run({ pictures, quick }) {
    const state = mkdtempSync(join(tmpdir(), 'headwater-bench-'));
    try {
      const keys = await enrol(state, await demoHead(usualNetwork()));
      const [{ bytes: picture, name }] = pictures;
      const starts: Fresh[] = [];
      for (let round = 0; round < (quick ? 2 : 7); round++) starts.push(await oneStart(state, keys, picture));
      const of = (pick: (start: Fresh) => number): Spread => summarise(starts.map(pick));
      const [first, hundredth] = [of((start) => start.firstMs), of((start) => start.hundredthMs)];
      const other = of((start) => start.otherMs);
      const ratio = of((start) => start.firstMs / start.hundredthMs);
      const coldRatio = of((start) => start.firstMs / start.otherMs);
      const { lines, activeMs } = await measureStartup();
      return {
        tables: [
          {
            columns: [
              '',
              'process start, both isolates, CPU ms',
              'first ms',
              'hundredth ms',
              'another tenant’s first ms',
              'first/hundredth',
              'first/another tenant’s first',
              'process MB',
            ],
            rows: [
              [
                `classify ${name}`,
                spreadText(of((start) => start.startCpuMs)),
                spreadText(first),
                spreadText(hundredth),
                spreadText(other),
                spreadText(ratio),
                spreadText(coldRatio),
                megabytes(of((start) => start.residentBytes).median),
              ],
            ],
          },
        ],
        notes: [
          'Times over HTTP, stores read included: a tenant’s first request looks up its key, its head and its version.',
          'The start-up of the script alone, as wrangler profiles it:',
          ...lines,
        ],
        goals: [
          {
            what: 'First request of a fresh isolate, stores read, of one that reads no store',
            atMost: 1.5,
            measured: ratio.median,
          },
          {
            what: 'First request of a fresh isolate, of one to a warm isolate that reads the same from the stores',
            atMost: 1.5,
            measured: coldRatio.median,
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

async function enrol(state: string, head: Uint8Array): Promise<Keys> {
  const worker = await startRealWorker({ state });
  try {
    return { tenant: await worker.enrol(head), other: await worker.enrol(head) };
  } finally {
    await worker.close();
  }
}

async function oneStart(state: string, { tenant, other }: Keys, picture: Uint8Array): Promise<Fresh> {
  const worker = await startRealWorker({ state, isolates: 2 });
  const timed = async (key: string): Promise<number> => {
    const { wall } = await worker.measure(() => worker.classify(key, picture, 2));
    return wall;
  };
  try {
    await worker.health();
    const startCpuMs = worker.cpuMs() ?? Number.NaN;
    for (const key of [tenant, other]) await worker.classify(key, picture);
    await worker.health(2);
    const { firstMs, hundredthMs } = await firstAndHundredth(() => timed(tenant));
    const otherMs = await timed(other);
    const residentBytes = worker.residentBytes() ?? Number.NaN;
    return { startCpuMs, firstMs, hundredthMs, otherMs, residentBytes };
  } finally {
    await worker.close();
  }
}
