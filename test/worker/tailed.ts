/** Heads with tails for the Worker's tests, and what they must answer. */
import plan from '../../backbones/mobilenet-v3-small/plan.json';
import weights from '../../backbones/mobilenet-v3-small/weights.safetensors';
import { cutAt, loadBackbone, tensorNames, type Tail } from '../../src/backbone/index.ts';
import { readCode, score, TAIL_TAP, type Head } from '../../src/head/index.ts';
import { runtime } from '../../worker/runtime.ts';
import { JPEG, makeHead } from './support.ts';

const backbone = loadBackbone(plan, new Uint8Array(weights));

/** The backbone's own last steps, each weight a little larger. */
function makeTail(from: string, factor: number): Tail {
  const names = cutAt(backbone.plan, from).tailSteps.flatMap(tensorNames);
  const scaled = (name: string): Float16Array =>
    Float16Array.from(backbone.tensors.get(name)!, (w) => w * factor);
  return { from, tensors: new Map(names.map((name) => [name, scaled(name)])) };
}

export async function tailedHead(from: string, factor: number, seed: number): Promise<Head> {
  const head = await makeHead(['cat', 'dog', 'owl'], seed);
  const taps = runtime.plan.taps.map(({ name }) => (behind(from).includes(name) ? TAIL_TAP + name : name));
  return { ...head, taps, tail: makeTail(from, factor) };
}

function behind(from: string): string[] {
  return cutAt(backbone.plan, from).tailTaps.map(({ name }) => name);
}

/** What the trainer would answer for JPEG: trunk, tail and head one after the other. */
export async function expected(head: Head): Promise<Float32Array> {
  return score(head, await codeOf(head, JPEG)).probabilities;
}

/** What a head with a tail reads of a picture. */
export async function codeOf(head: Head, picture: Uint8Array): Promise<Float32Array> {
  const { pixels } = await runtime.decoder.decode(picture, runtime.plan.input);
  if (head.tail === undefined) return readCode(head, runtime.plan, runtime.engine.codes(pixels));
  const { engine } = runtime;
  const { from } = head.tail;
  const { codes, maps } = engine.codesAndMaps(pixels, from === 'input' ? [] : [from]);
  const tail = engine.createTail(head.tail);
  const tailCode = tail.codes(from === 'input' ? pixels : maps.get(from)!);
  tail.dispose();
  return readCode(head, runtime.plan, codes, tailCode);
}
