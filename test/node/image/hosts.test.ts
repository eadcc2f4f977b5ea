import { describe, expect, it } from 'vitest';
import { EMBEDDED } from '../../fixtures/images/embedded.ts';
import { EXPECTED_SHA256, fromBase64, sha256 } from '../../fixtures/images/expected.ts';
import { fixture, newDecoder } from './support.ts';

describe('the same bytes give the same pixels on every host; here Node', () => {
  const decoder = newDecoder();
  it.each(Object.entries(EMBEDDED))('%s', async (name, base64) => {
    expect(fromBase64(base64)).toEqual(fixture(name));
    const { pixels } = await decoder.decode(fixture(name), { width: 224, height: 224 });
    expect(await sha256(pixels)).toBe(EXPECTED_SHA256[name]);
  });
});
