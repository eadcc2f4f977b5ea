/** Unpacking keeps pace with whoever reads: what a small piece becomes is all that is ever held. */
import { deflateSync } from 'fflate';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { inflating } from '../../worker/http/inflate.ts';
import { INFLATE_PIECE_BYTES } from '../../worker/limits.ts';

afterEach(() => vi.restoreAllMocks());

const bytesOf = async (packed: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await new Response(inflating(packed)).arrayBuffer());

/** Bytes that pack badly, well, and not at all. */
function texts(): Uint8Array[] {
  const random = crypto.getRandomValues(new Uint8Array(60_000));
  return [
    random,
    random.map((byte) => byte & 1),
    new Uint8Array(3_000_000),
    new Uint8Array(65_536 * 3),
    new Uint8Array(0),
  ];
}

describe('unpacking', () => {
  it('gives what was packed', async () => {
    for (const text of texts()) {
      for (const level of [0, 1, 9] as const) {
        const bytes = await bytesOf(deflateSync(text, { level }));
        expect(bytes.byteLength).toBe(text.byteLength);
        expect(bytes.every((byte, i) => byte === text[i])).toBe(true);
      }
    }
  });

  it('begins with a piece, and takes the next one when all of it was read', async () => {
    const packed = deflateSync(new Uint8Array(50_000_000), { level: 9 });
    expect(packed.byteLength).toBeGreaterThan(10 * INFLATE_PIECE_BYTES);
    const write = vi.spyOn(WritableStreamDefaultWriter.prototype, 'write');
    const reader = inflating(packed).getReader();
    for (let read = 0; read < 3_000_000;) read += (await reader.read()).value?.byteLength ?? 0;
    expect(write.mock.calls.length).toBeLessThanOrEqual(2);
    await reader.cancel();
  });

  it('fails where the data are damaged or end early', async () => {
    const packed = deflateSync(crypto.getRandomValues(new Uint8Array(60_000)).map((byte) => byte & 7));
    await expect(bytesOf(packed.subarray(0, -10))).rejects.toThrow(TypeError);
    await expect(bytesOf(packed.subarray(0, INFLATE_PIECE_BYTES))).rejects.toThrow(TypeError);
    // A block of a type that there is none of, and stored bytes whose length contradicts itself far behind the first piece.
    await expect(bytesOf(packed.with(0, 0b111))).rejects.toThrow(TypeError);
    const stored = deflateSync(new Uint8Array(100_000), { level: 0 });
    const secondBlock = 5 + 65_535;
    await expect(bytesOf(stored.with(secondBlock + 3, 1))).rejects.toThrow(TypeError);
    await expect(bytesOf(new Uint8Array(0))).rejects.toThrow(TypeError);
  });
});
