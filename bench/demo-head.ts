/** A small head for requests to be answered with, trained on the photos of MobileNetV3-Small's package. */
import { readFileSync } from 'node:fs';
import type { Backbone } from '../src/backbone/index.ts';
import { writeHead } from '../src/head/index.ts';
import { trainHead } from '../src/learn/train.ts';
import { shippedPictures } from '../scripts/demo/pictures.ts';
import { root } from '../scripts/stale.ts';
import { ownEngines } from './engines.ts';
import { createDecoder } from './pictures.ts';

/** The head's file. */
export async function demoHead(backbone: Backbone): Promise<Uint8Array> {
  const { train, unseen } = await shippedPictures(root);
  const files = [...train, ...unseen];
  const labels = [...new Set(files.map((file) => file.label))];
  const [reference] = (await ownEngines(backbone)).engines;
  const decoder = createDecoder();
  const { width, height } = backbone.plan.input;
  const codes = new Float16Array(files.length * backbone.codeLength);
  for (const [i, { path }] of files.entries()) {
    const { pixels } = await decoder.decode(readFileSync(path), { width, height });
    codes.set(await reference.run(pixels)(), i * backbone.codeLength);
  }
  const { name, version, weightsSha256, taps } = backbone.plan;
  const head = await trainHead({
    backbone: { name, version, weightsSha256 },
    taps: taps.map((tap) => tap.name),
    labels,
    codes,
    targets: Uint16Array.from(files, (file) => labels.indexOf(file.label)),
  });
  return writeHead(head);
}
