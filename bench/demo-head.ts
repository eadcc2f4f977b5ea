/** A head for requests to be answered with, trained on the photos that the project carries. */
import { readFileSync } from 'node:fs';
import { createEngine } from '../src/backbone/choose.ts';
import { writeHead } from '../src/head/index.ts';
import { examplePictures } from '../scripts/demo/pictures.ts';
import { root } from '../scripts/build/stale.ts';
import type { Network } from './networks.ts';
import { built } from './peers/load.ts';
import { createDecoder } from './pictures.ts';
import { type LabelledCode, trainedHead } from './trained.ts';

const made = new Map<string, Promise<Uint8Array>>();

/** The head's file: made once for each network. */
export function demoHead({ backbone, input }: Network): Promise<Uint8Array> {
  const key = `${backbone.plan.weightsSha256} ${input.height}×${input.width} ${input.rules}`;
  const head = made.get(key) ?? make({ backbone, input });
  made.set(key, head);
  return head;
}

async function make(network: Network): Promise<Uint8Array> {
  const engine = createEngine(network.backbone, built('engine-relaxed'));
  const decoder = createDecoder();
  const examples: LabelledCode[] = [];
  for (const { path, label } of examplePictures(root).train) {
    const { pixels } = await decoder.decode(readFileSync(path), network.input);
    examples.push({ label, code: engine.codes(pixels) });
  }
  return writeHead(await trainedHead(network, examples));
}
