/** What cases are made of: pictures and head files that are right. */
import { readFileSync } from 'node:fs';
import { score, writeHead, type Head } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/ridge/train.ts';
import { dcJpeg, withoutSegments } from '../node/image/jpeg-maker.ts';
import { CHANNELS, FORMS } from '../node/image/pngs.ts';
import { FIXTURES, fixture, flatJpeg, greyPng, makePng, pngChunk } from '../node/image/support.ts';
import { photos } from '../node/photos.ts';
import { randomSet } from '../node/learn/random.ts';
import type { Bytes } from './bytes.ts';
import type { Source } from './pictures.ts';
import type { Random } from './random.ts';
import { linalg } from '../node/learn/linalg.ts';

const DHT = 0xc4;

const MADE: Readonly<Record<string, Uint8Array>> = {
  'a small JPEG': dcJpeg({ seed: 1, width: 40, height: 24 }),
  'a JPEG with a scan a component': dcJpeg({ seed: 2, interleaved: false }),
  'a JPEG with restarts': dcJpeg({ seed: 3, restartInterval: 2 }),
  'a JPEG without Huffman tables': withoutSegments(dcJpeg({ seed: 4 }), DHT),
  'a flat JPEG': flatJpeg(800, 600),
  'a flat progressive JPEG': flatJpeg(800, 600, 'progressive'),
  'a grey PNG': greyPng(20, 10, new Uint8Array(210)),
};

export function pictureSources(): Source[] {
  return [
    ...Object.entries(MADE).map(([name, bytes]) => ({ name, bytes })),
    ...FIXTURES.map((name) => ({ name, bytes: fixture(name) })),
    ...['glass', 'paper'].flatMap((label) =>
      photos('test', label, 1).map((path) => ({
        name: `${label}.jpg`,
        bytes: new Uint8Array(readFileSync(path)),
      })),
    ),
  ];
}

/** A flat PNG in any form that takes long enough for its CPU time to be compared with the work that it was charged for. */
export function longPicture(random: Random): Bytes {
  const [colour, depth] = random.pick(FORMS);
  const shape = { width: 4_000, height: 3_000, depth, colour };
  const raw = new Uint8Array(shape.height * (1 + Math.ceil((shape.width * CHANNELS[colour] * depth) / 8)));
  return new Uint8Array(
    makePng(shape, raw, colour === 3 ? pngChunk('PLTE', new Uint8Array(768)) : undefined),
  );
}

/** A small head, and the same with golden vectors that its weights have no part in, so that any weights pass that check. */
export async function headSources(): Promise<Uint8Array[]> {
  const head = await trainHead(randomSet(1, [12, 9, 11], 24), { linalg });
  return [writeHead(head), writeHead(indifferent(head))];
}

function indifferent(head: Head): Head {
  const code = head.mean.slice();
  return { ...head, golden: [{ code, probabilities: score(head, code).probabilities }] };
}
