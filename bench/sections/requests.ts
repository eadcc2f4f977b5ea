/** Whole classify requests to the Worker that would be deployed, over HTTP on this machine, with each of its engines. */
import type { EngineName } from '../../src/backbone/choose.ts';
import { dollarsPerMillion, PRICE_SOURCE } from '../cost.ts';
import { demoHead } from '../demo-head.ts';
import { interleave, summarise, type Timing } from '../measure.ts';
import type { JpegPicture } from '../pictures.ts';
import { type Client, classifyLessUpload, startClient } from '../request-cost.ts';
import { megabytes, milliseconds, type Section, type Table, timingTable } from '../section.ts';

const CONCURRENCY = [1, 4, 16];
/** What any backbone runs on, the first being what others are compared with. */
const COMPARED: readonly [EngineName, ...EngineName[]] = ['simd32', 'simd16'];

interface Throughput {
  readonly engine: string;
  readonly concurrency: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p90: number;
}

type Timings = ReadonlyMap<string, Timing>;

export const requests: Section = {
  name: 'requests',
  title: 'Whole classify requests to the real Worker on local workerd',
  async run({ backbone, input, pictures, quick }) {
    const head = await demoHead({ backbone, input });
    const clients: Client[] = [];
    try {
      for (const engine of COMPARED) clients.push(await startClient(engine, head, { engine }));
      const timings = new Map<string, Timings>();
      for (const picture of pictures) {
        const rounds = quick ? { rounds: 4, times: 3 } : { rounds: 24, times: 5 };
        const contenders = clients.map((client) => classifyLessUpload(client, picture));
        timings.set(picture.name, await interleave(contenders, rounds));
      }
      const throughput: Throughput[] = [];
      for (const client of clients) {
        for (const concurrency of CONCURRENCY) {
          throughput.push(await measureThroughput(client, pictures[0], concurrency, quick ? 60 : 400));
        }
      }
      const resident = clients.map(({ name, worker }) => ({ engine: name, bytes: worker.residentBytes() }));
      return {
        tables: [...Array.from(timings, ([name, of]) => costTable(name, of)), throughputTable(throughput)],
        notes: [
          'A sample is n classify requests less n of the same with as many bytes that are no picture: what HTTP, the upload and the',
          'key take is not in it. CPU is the workerd process’s, all threads.',
          `Cost: requests and CPU time at the prices of ${PRICE_SOURCE}, with this machine’s CPU time.`,
          'Client and workerd share this machine’s cores.',
          `Process at the end: ${resident.map(({ engine, bytes }) => `${megabytes(bytes)} MB with ${engine}`).join(', ')}.`,
        ],
        data: { timings, throughput, resident },
      };
    } finally {
      for (const { worker } of clients) await worker.close();
    }
  },
};

async function measureThroughput(
  { name: engine, classify }: Client,
  picture: JpegPicture,
  concurrency: number,
  total: number,
): Promise<Throughput> {
  const latencies: number[] = [];
  let left = total;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const start = performance.now();
      await classify(picture.bytes);
      latencies.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  const seconds = (performance.now() - start) / 1000;
  const { median, p90 } = summarise(latencies);
  return { engine, concurrency, requestsPerSecond: latencies.length / seconds, p50: median, p90 };
}

function costTable(picture: string, timings: Timings): Table {
  const dollars = (name: string): string => {
    const cpu = timings.get(name)?.cpu;
    return cpu === undefined ? '–' : dollarsPerMillion(cpu.median).toFixed(2);
  };
  return timingTable(timings, COMPARED[0], `classify ${picture} with`, { '$ a million': dollars });
}

function throughputTable(throughput: readonly Throughput[]): Table {
  return {
    columns: ['with', 'at once', 'requests/s', 'median ms', 'p90 ms'],
    rows: throughput.map(({ engine, concurrency, requestsPerSecond, p50, p90 }) => [
      engine,
      String(concurrency),
      requestsPerSecond.toFixed(0),
      milliseconds(p50),
      milliseconds(p90),
    ]),
  };
}
