import { expect, it } from 'vitest';
import linalg from '../../build/wasm/linalg.wasm';
import { GOLDEN_HASH, goldenHeads } from '../node/learn/golden.ts';

it('heads trained in workerd are those trained in Node, byte for byte', async () => {
  const { hash, pauses } = await goldenHeads(linalg);
  expect(hash).toBe(GOLDEN_HASH);
  expect(pauses).toBeGreaterThan(3);
});
