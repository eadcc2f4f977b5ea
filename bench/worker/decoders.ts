/** A JPEG file to the backbone's pixels: ours, and `@jsquash/jpeg` decoding in full with the same resize after it. */
import turbo from '../../build/wasm/jpeg.wasm?module';
import jsquashWasm from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?module';
import decodeInFull, { init } from '@jsquash/jpeg/decode.js';
import webp from '../../build/wasm/webp.wasm?module';
import png from '../../build/wasm/png.wasm?module';
import resize from '../../build/wasm/resize.wasm?module';
import { createImageDecoder } from '../../src/image/index.ts';
import { createResizer } from '../../src/image/pixels/resize.ts';
import { input } from './backbone.ts';

export type Decode = (file: Uint8Array) => Promise<Uint8Array>;

const decoder = createImageDecoder({ jpeg: turbo, png, webp, resize });
const resizer = createResizer(resize);
let ready: Promise<void> | undefined;

export const decoders = {
  headwater: async (file) => (await decoder.decode(file, input)).pixels,
  jsquash: async (file) => {
    ready ??= init(jsquashWasm);
    await ready;
    const { buffer, byteLength } = file;
    // It wants a buffer of its own; ours usually is one.
    const whole = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
    const { data, width, height } = await decodeInFull(whole ? buffer : new Uint8Array(file).buffer);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return resizer.resize({ data: bytes, width, height, layout: 'rgba' }, 1, [input])[0];
  },
} satisfies Record<string, Decode>;
