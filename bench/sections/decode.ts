/** JPEG file to 224×224 pixels in local workerd: our scaled decode against a full decode with the same resize. */
import { interleave } from '../measure.ts';
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
        const title = `${picture.name}, ${sizeText(picture.bytes.length)}`;
        tables.push(
          timingTable(timings, NAMES.jsquash, title, {
            'WASM MB': (name) => megabytes(memory[name === NAMES.headwater ? 0 : 1].wasmBytes),
            difference: (name) => (name === NAMES.headwater ? difference.toFixed(2) : '–'),
          }),
        );
        data[picture.name] = { bytes: picture.bytes.length, timings, memory, difference };
      }
      const notes = [
        'Memory of WebAssembly after the picture; it never shrinks. Difference: the mean over all pixels, in steps of 1/255.',
      ];
      return { tables, notes, data };
    }),
};

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}
