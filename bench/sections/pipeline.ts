/** Everything a classify request computes, in local workerd: each decoder with each engine. */
import { demoHead } from '../demo-head.ts';
import { REFERENCE } from '../engines.ts';
import { ratioGoal } from '../goals.ts';
import {
  type Goal,
  megabytes,
  type Result,
  type Section,
  sizeText,
  type Table,
  timingTable,
} from '../section.ts';
import { interleave } from '../measure.ts';
import { type BenchWorker, floats, subtracted } from '../worker-host.ts';
import { memoriesOf, onMobileNet, withWorkers } from '../workers.ts';

const OURS = 'headwater decode, simd32-relaxed';
const OTHER_ENGINE = `headwater decode, ${REFERENCE}`;
const BASELINE = `@jsquash/jpeg, ${REFERENCE}`;
const SAME_ENGINE = '@jsquash/jpeg, simd32-relaxed';

/** Entry and work of each combination. */
const COMBINATIONS: Readonly<Record<string, readonly [entry: string, work: string]>> = {
  [OURS]: ['pipeline-simd', 'headwater'],
  [OTHER_ENGINE]: ['pipeline-tfjs', 'headwater'],
  [SAME_ENGINE]: ['pipeline-simd', 'jsquash'],
  [BASELINE]: ['pipeline-tfjs', 'jsquash'],
};

export const pipeline: Section = {
  name: 'pipeline',
  title: 'JPEG in, probabilities out, in local workerd: overhead of HTTP subtracted',
  run: async ({ backbone, input, pictures, quick }) => {
    const head = await demoHead({ backbone, input });
    const entries = Object.fromEntries(Object.entries(COMBINATIONS).map(([name, [entry]]) => [name, entry]));
    return await withWorkers(onMobileNet(entries), async (workers): Promise<Result> => {
      for (const worker of workers.values()) await worker.put('head', head);
      const tables: Table[] = [];
      const data: Record<string, unknown> = {};
      const goals: Goal[] = [];
      for (const picture of pictures) {
        const tops = new Set<number>();
        for (const [name, worker] of workers) {
          tops.add(topClass(floats(await worker.work(COMBINATIONS[name][1], 1, picture.bytes))));
        }
        if (tops.size > 1) throw new Error(`The pipelines disagree about ${picture.name}.`);
        const contenders = Array.from(workers, ([name, worker]) =>
          subtracted(name, worker, COMBINATIONS[name][1], picture.bytes),
        );
        const rounds = quick ? { rounds: 5, times: 2 } : { rounds: 25, times: 4 };
        const timings = await interleave(contenders, rounds);
        const memory = await memoriesOf(workers);
        if (picture === pictures[0])
          goals.push(...ratioGoal(`${picture.name} JPEG to probabilities, of the same with tfjs`, timings, [OURS, OTHER_ENGINE], 0.5)); // prettier-ignore
        if (picture === pictures.at(-1))
          goals.push(
            ...ratioGoal(`${picture.name} JPEG, of the same with @jsquash/jpeg`, timings, [OURS, SAME_ENGINE], 0.45), // prettier-ignore
            { what: `WebAssembly memory held after a ${picture.name} JPEG`, atMost: 24, measured: (await wasmHeld(head, picture.bytes)) / 1e6, unit: 'MB' }, // prettier-ignore
          );
        const title = `${picture.name}, ${sizeText(picture.bytes.length)}`;
        const wasm = (name: string): string => megabytes(memory.get(name)?.wasmBytes);
        tables.push(timingTable(timings, BASELINE, title, { 'WASM MB': wasm }));
        data[picture.name] = { timings, memory };
      }
      return {
        tables,
        notes: [
          'All combinations give the same top class. WASM MB: with instances that were let go of and are not collected yet.',
        ],
        goals,
        data,
      };
    });
  },
};

/** Bytes that our pipeline holds once what it let go of is collected. */
async function wasmHeld(head: Uint8Array, picture: Uint8Array): Promise<number> {
  const [worker, work] = COMBINATIONS[OURS];
  const measure = async (workers: ReadonlyMap<string, BenchWorker>): Promise<number> => {
    const collecting = workers.get(OURS)!;
    await collecting.put('head', head);
    await collecting.work(work, 3, picture);
    await collecting.heldMb();
    return await collecting.wasmMemoryBytes();
  };
  return await withWorkers(onMobileNet({ [OURS]: worker }), measure, { collects: true, inspected: true });
}

function topClass(probabilities: Float32Array): number {
  return probabilities.indexOf(Math.max(...probabilities));
}
