import jpeg from '../../build/wasm/jpeg.wasm?module';
import webp from '../../build/wasm/webp.wasm?module';
import { describe, expect, it } from 'vitest';
import png from '../../build/wasm/png.wasm?module';
import resize from '../../build/wasm/resize.wasm?module';
import { createImageDecoder } from '../../src/image/index.ts';
import { EMBEDDED } from '../fixtures/images/embedded.ts';
import { EXPECTED_SHA256, fromBase64, sha256 } from '../fixtures/images/expected.ts';

describe('pictures in workerd', () => {
  const decoder = createImageDecoder({ jpeg, png, webp, resize });
  const size = { width: 224, height: 224 };

  it.each(Object.entries(EMBEDDED))('%s gives the same pixels as on every host', async (name, base64) => {
    const { pixels } = await decoder.decode(fromBase64(base64), size);
    expect(await sha256(pixels)).toBe(EXPECTED_SHA256[name]);
  });

  it.each(Object.entries(EMBEDDED))(
    '%s damaged is refused, and the next picture decodes',
    async (name, base64) => {
      const whole = fromBase64(base64);
      const damaged = whole.subarray(0, Math.floor(whole.length * 0.7));
      await expect(decoder.decode(damaged, size)).rejects.toMatchObject({ code: 'image_corrupt' });
      const { pixels } = await decoder.decode(whole, size);
      expect(await sha256(pixels)).toBe(EXPECTED_SHA256[name]);
    },
  );
});
