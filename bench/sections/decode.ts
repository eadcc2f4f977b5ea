/** JPEG file to 224×224 pixels in local workerd: our scaled decode against a full decode with the same resize. */
import { interleave, type Timing } from '../measure.ts';
import { megabytes, type Result, type Section, sizeText, type Table, timingTable } from '../section.ts';
import { subtracted } from '../worker-host.ts';
import { type Memory, memoryOf, onMobileNet, withWorkers } from '../workers.ts';

/** Both decoders live in the same file, each in a Worker of its own. */
const NAMES = { headwater: 'headwater, scaled decode', jsquash: '@jsquash/jpeg, full decode' } as const;

export const decode: Section = {
  name: 'decode',
  title: 'JPEG decode and resize to the backbone’s input, in local workerd',
  run: ({ pictures, quick }) =>
    withWorkers(onMobileNet({ headwater: 'decode', jsquash: 'decode' }), async (workers): Promise<Result> => {
      const tables: Table[] = [];
      const data: Record<string, unknown> = {};
      for (const picture of pictures) {
        const outputs: Uint8Array[] = [];
        for (const [name, worker] of workers) {
          await worker.put('input', picture.bytes);
          outputs.push(await worker.work(name, 1));
        }
        const contenders = Array.from(workers, ([name, worker]) =>
          subtracted(NAMES[name === 'jsquash' ? name : 'headwater'], worker, name),
        );
        const rounds = quick ? { rounds: 5, times: 3 } : { rounds: 25, times: 5 };
        const timings = await interleave(contenders, rounds);
        const memory: Memory[] = [];
        for (const worker of workers.values()) memory.push(await memoryOf(worker));
        const difference = meanDifference(outputs[0], outputs[1]);
        tables.push(pictureTable(picture.name, picture.bytes.length, timings, memory, difference));
        data[picture.name] = {
          bytes: picture.bytes.length,
          timings: Object.fromEntries(timings),
          memory,
          difference,
        };
      }
      const notes = [
        'Memory of WebAssembly after the picture; it never shrinks. Difference: the mean over all pixels, in steps of 1/255.',
      ];
      return { tables, notes, data };
    }),
};

function pictureTable(
  name: string,
  bytes: number,
  timings: ReadonlyMap<string, Timing>,
  memory: readonly Memory[],
  difference: number,
): Table {
  const table = timingTable(timings, NAMES.jsquash);
  return {
    columns: [`${name}, ${sizeText(bytes)}`, ...table.columns.slice(1), 'WASM MB', 'difference'],
    rows: table.rows.map((row, i) => [
      ...row,
      megabytes(memory[i].wasmBytes),
      i === 0 ? difference.toFixed(2) : '–',
    ]),
  };
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}
