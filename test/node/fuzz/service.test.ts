/** Requests that are nearly right to the real Worker, by a fixed seed: `npm run fuzz` draws others. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FuzzPart } from '../../fuzz/part.ts';
import { servicePart } from '../../fuzz/service.ts';

const CASES = 100;
const SEED = 20_261_201;

let service: FuzzPart;
beforeAll(async () => {
  service = await servicePart(SEED);
});
afterAll(() => service.close());

it(`answers ${CASES} requests in order, and the next picture as before`, async () => {
  const faults: string[] = [];
  for (let number = 0; number < CASES; number++) {
    const fault = await service.run(number);
    if (fault !== undefined) faults.push(`case ${number}: ${fault.what}`);
  }
  expect(faults).toEqual([]);
});
