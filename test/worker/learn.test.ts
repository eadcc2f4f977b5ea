import { expect, it } from 'vitest';
import linalg from '../../build/wasm/linalg.wasm';
import { GOLDEN_HEAD_HASH, goldenHead } from '../node/learn/golden.ts';

it('a head trained in workerd is the one trained in Node, byte for byte', async () => {
  const { hash, pauses } = await goldenHead(linalg);
  expect(hash).toBe(GOLDEN_HEAD_HASH);
  expect(pauses).toBeGreaterThan(3);
});
