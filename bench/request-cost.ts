/** What one classify request to the real Worker computes. */
import { type Contender, lessIdle } from './measure.ts';
import type { JpegPicture } from './pictures.ts';
import { type RealWorker, type RealWorkerOptions, startRealWorker } from './real-worker.ts';

/** A Worker of its own, with one head. */
export interface Client {
  readonly name: string;
  readonly worker: RealWorker;
  readonly classify: (picture: Uint8Array) => Promise<void>;
  readonly upload: (size: number) => Promise<void>;
}

export async function startClient(
  name: string,
  head: Uint8Array,
  options: RealWorkerOptions = {},
): Promise<Client> {
  const worker = await startRealWorker(options);
  try {
    const key = await worker.enrol(head);
    return {
      name,
      worker,
      classify: (picture) => worker.classify(key, picture),
      upload: (size) => worker.upload(key, size),
    };
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/** Decoding, codes and head: a request less one with as many bytes that are no picture. */
export function classifyLessUpload(
  { name, worker, classify, upload }: Client,
  picture: JpegPicture,
): Contender {
  return {
    name,
    async sample(times) {
      const idle = await worker.measure(() => repeat(times, () => upload(picture.bytes.length)));
      const busy = await worker.measure(() => repeat(times, () => classify(picture.bytes)));
      return lessIdle(busy, idle);
    },
  };
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await work();
}
