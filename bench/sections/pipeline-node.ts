/** Everything a classify request computes, in this process: our decoder with every engine, and `@jsquash/jpeg` with tfjs. */
import decodeInFull, { init } from '@jsquash/jpeg/decode.js';
import type { Size } from '../../src/image/index.ts';
import { createResizer } from '../../src/image/pixels/resize.ts';
import { readHead, score } from '../../src/head/index.ts';
import { demoHead } from '../demo-head.ts';
import { allEngines, type Candidate, REFERENCE } from '../engines.ts';
import { type Contender, interleave, local } from '../measure.ts';
import { built, peerFile, wasmOf } from '../peers/load.ts';
import { createDecoder } from '../pictures.ts';
import { type Section, sizeText, type Table, timingTable } from '../section.ts';

type Decode = (file: Uint8Array, size: Size) => Promise<Uint8Array>;

const BASELINE = `@jsquash/jpeg, ${REFERENCE}`;

export const pipelineInNode: Section = {
  name: 'pipeline-node',
  title: 'JPEG in, probabilities out, in Node',
  async run({ backbone, input, pictures, quick }) {
    const head = readHead(await demoHead({ backbone, input }));
    const { engines, absent } = await allEngines(backbone);
    const takingBytes = engines.filter(({ name }) => !name.endsWith('input prepared'));
    const ours = createDecoder();
    const decode: Decode = async (file, size) => (await ours.decode(file, size)).pixels;
    const full = await fullDecoder();
    const classify = (name: string, file: Uint8Array, decoder: Decode, engine: Candidate): Contender => {
      const { input } = backbone.plan;
      const pixels = new Uint8Array(input.height * input.width * input.channels);
      const run = engine.run(pixels);
      return local(name, async () => {
        pixels.set(await decoder(file, input));
        return score(head, await run());
      });
    };
    const tables: Table[] = [];
    const data: Record<string, unknown> = {};
    for (const { name, bytes } of pictures) {
      const contenders = takingBytes.map((engine) => classify(engine.name, bytes, decode, engine));
      contenders.push(classify(BASELINE, bytes, full, engines[0]));
      const rounds = quick ? { rounds: 3, times: 2 } : { rounds: 15, times: 3 };
      const timings = await interleave(contenders, rounds);
      tables.push(timingTable(timings, REFERENCE, `${name}, ${sizeText(bytes.length)}`));
      data[name] = timings;
    }
    return { tables, notes: ['Where no decoder is named it is ours.', ...absent], data };
  },
};

async function fullDecoder(): Promise<Decode> {
  await init(wasmOf(peerFile('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')));
  const resizer = createResizer(built('resize'));
  return async (file, size) => {
    const { data, width, height } = await decodeInFull(new Uint8Array(file).buffer);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return resizer.resize({ data: bytes, width, height, layout: 'rgba' }, 1, [size])[0];
  };
}
