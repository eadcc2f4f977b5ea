/** Thousands of requests, one after the other and then many at a time, after which workerd holds no more memory than midway. */
import sharp from 'sharp';
import { batchOf, Mortal } from './node/local/teaching.ts';

/** As large as a photo of 500 × 375. */
const PICTURE_SIZE = { width: 500, height: 375, channels: 3 as const };
const NOISE = { type: 'gaussian' as const, mean: 128, sigma: 12 };
const SEQUENTIAL = 2_000;
const CONCURRENT = 8_000;
const AT_A_TIME = 16;
/** Requests after which memory is looked at. */
const ROUND = 1_000;
/** What memory may rise from the second third of the requests to the last; garbage comes and goes. */
const TOLERANCE = 1.1;

/** @param check hears what should hold. */
export async function steadyMemory(check: (holds: boolean, what: string) => void): Promise<void> {
  const mortal = new Mortal();
  await mortal.start();
  const backbone = await mortal.backbone();
  const key = await mortal.newTenant();
  for (const label of ['ant', 'bee'])
    await (await mortal.teach(key, 'pets', batchOf(backbone, label, 2, 1), label)).text();
  const create = { ...PICTURE_SIZE, background: 'grey', noise: NOISE };
  const body = new Uint8Array(await sharp({ create }).jpeg().toBuffer());
  const classify = async (): Promise<void> => {
    const headers = { 'content-type': 'image/jpeg' };
    const answer = await mortal.call(key, '/v1/heads/pets/classify', { method: 'POST', headers, body });
    check(answer.status === 200, `classify was answered ${answer.status}: ${await answer.text()}`);
  };
  const memory: number[] = [];
  for (let done = 0; done < SEQUENTIAL + CONCURRENT; done += ROUND) {
    let left = ROUND;
    const client = async (): Promise<void> => {
      while (left-- > 0) await classify();
    };
    await Promise.all(Array.from({ length: done < SEQUENTIAL ? 1 : AT_A_TIME }, client));
    memory.push(Math.round(mortal.residentMib()));
  }
  await mortal.stop();
  const third = Math.floor(memory.length / 3);
  const middle = Math.max(...memory.slice(third, 2 * third));
  const last = Math.max(...memory.slice(2 * third));
  check(last <= middle * TOLERANCE, `workerd's memory grew from ${middle} to ${last} MiB`);
  console.log(
    `${SEQUENTIAL} pictures in a row and ${CONCURRENT} ${AT_A_TIME} at a time; MiB of workerd after each ${ROUND}: ${memory.join(', ')}.`,
  );
}
