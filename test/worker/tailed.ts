/** Heads with tails for the Worker's tests, and what they must answer. */
import { cutAt, tensorNames, type Tail } from '../../src/backbone/index.ts';
import { readCode, score, TAIL_TAP, type Head } from '../../src/head/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { JPEG, makeHead } from './support.ts';

/** The backbone that most fine-tuned heads are on: it was the only one. */
export const mobileNet = (await runtime.named('mobilenet-v3-small'))!;
const { backbone, plan, engine, decoder } = mobileNet;

/** The backbone's own last steps, each weight a little larger. */
function makeTail(from: string, factor: number): Tail {
  const names = cutAt(plan, from).tailSteps.flatMap(tensorNames);
  const scaled = (name: string): Float16Array =>
    Float16Array.from(backbone.tensors.get(name)!, (w) => w * factor);
  return { from, tensors: new Map(names.map((name) => [name, scaled(name)])) };
}

export async function tailedHead(from: string, factor: number, seed: number): Promise<Head> {
  const head = await makeHead(['cat', 'dog', 'owl'], seed, mobileNet);
  const taps = plan.taps.map(({ name }) => (behind(from).includes(name) ? TAIL_TAP + name : name));
  return { ...head, taps, tail: makeTail(from, factor) };
}

function behind(from: string): string[] {
  return cutAt(plan, from).tailTaps.map(({ name }) => name);
}

/** What the trainer would answer for JPEG: trunk, tail and head one after the other. */
export async function expected(head: Head): Promise<Float32Array> {
  return score(head, await codeOf(head, JPEG)).probabilities;
}

/** What a head with a tail reads of a picture. */
export async function codeOf(head: Head, picture: Uint8Array): Promise<Float32Array> {
  const { pixels } = await decoder.decode(picture, plan.input);
  if (head.tail === undefined) return readCode(head, plan, engine.codes(pixels));
  const { from } = head.tail;
  const { codes, maps } = engine.codesAndMaps(pixels, from === 'input' ? [] : [from]);
  const tail = engine.createTail(head.tail);
  const tailCode = tail.codes(from === 'input' ? pixels : maps.get(from)!);
  tail.dispose();
  return readCode(head, plan, codes, tailCode);
}
