/** Whole classify requests to the Worker that would be deployed, over HTTP on this machine. */
import { dollarsPerMillion, PRICE_SOURCE } from '../cost.ts';
import { demoHead } from '../demo-head.ts';
import { type Contender, interleave, summarise, type Timing } from '../measure.ts';
import type { JpegPicture } from '../pictures.ts';
import { startRealWorker, type RealWorker } from '../real-worker.ts';
import { megabytes, milliseconds, type Section, spreadText, type Table } from '../section.ts';

const CONCURRENCY = [1, 4, 16];

interface Throughput {
  readonly concurrency: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p90: number;
}

export const requests: Section = {
  name: 'requests',
  title: 'Whole classify requests to the real Worker on local workerd',
  async run({ backbone, pictures, quick }) {
    const worker = await startRealWorker(await demoHead(backbone));
    try {
      const timings = new Map<string, Timing>();
      for (const picture of pictures) {
        const rounds = quick ? { rounds: 5, times: 4 } : { rounds: 30, times: 8 };
        for (const [name, timing] of await interleave([classifyLessHealth(worker, picture)], rounds))
          timings.set(name, timing);
      }
      const before = worker.residentBytes();
      const throughput: Throughput[] = [];
      for (const concurrency of CONCURRENCY) {
        throughput.push(await measureThroughput(worker, pictures[0], concurrency, quick ? 60 : 600));
      }
      const after = worker.residentBytes();
      return {
        tables: [costTable(timings), throughputTable(throughput)],
        notes: [
          'A sample is n classify requests less n requests for /healthz. CPU is the workerd process’s, all threads.',
          `Cost: requests and CPU time at the prices of ${PRICE_SOURCE}, with this machine’s CPU time.`,
          `Client and workerd share this machine’s cores. Process: ${megabytes(before)} MB before, ${megabytes(after)} MB after the throughput runs.`,
        ],
        data: { timings: Object.fromEntries(timings), throughput, residentBytes: { before, after } },
      };
    } finally {
      await worker.close();
    }
  },
};

function classifyLessHealth(worker: RealWorker, picture: JpegPicture): Contender {
  return {
    name: picture.name,
    async sample(times) {
      const idle = await worker.measure(() => repeat(times, () => worker.health()));
      const busy = await worker.measure(() => repeat(times, () => worker.classify(picture.bytes)));
      const cpu = idle.cpu === undefined || busy.cpu === undefined ? undefined : busy.cpu - idle.cpu;
      return { wall: busy.wall - idle.wall, cpu };
    },
  };
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await work();
}

async function measureThroughput(
  worker: RealWorker,
  picture: JpegPicture,
  concurrency: number,
  total: number,
): Promise<Throughput> {
  const latencies: number[] = [];
  let left = total;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const start = performance.now();
      await worker.classify(picture.bytes);
      latencies.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  const seconds = (performance.now() - start) / 1000;
  const { median, p90 } = summarise(latencies);
  return { concurrency, requestsPerSecond: latencies.length / seconds, p50: median, p90 };
}

function costTable(timings: ReadonlyMap<string, Timing>): Table {
  return {
    columns: ['classify', 'ms (p10–p90)', 'CPU ms (p10–p90)', '$ a million'],
    rows: Array.from(timings, ([name, { wall, cpu }]) => [
      name,
      spreadText(wall),
      spreadText(cpu),
      cpu === undefined ? '–' : dollarsPerMillion(cpu.median).toFixed(2),
    ]),
  };
}

function throughputTable(throughput: readonly Throughput[]): Table {
  return {
    columns: ['at once', 'requests/s', 'median ms', 'p90 ms'],
    rows: throughput.map(({ concurrency, requestsPerSecond, p50, p90 }) => [
      String(concurrency),
      requestsPerSecond.toFixed(0),
      milliseconds(p50),
      milliseconds(p90),
    ]),
  };
}
