/** Batches of made-up codes, as a customer sends them who keeps the pictures. */
import { spaceOfPlan } from '../../src/head/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';

const { plan, input, engine } = runtime;
/** What the codes are of, as /v1/embed answers it. */
export const BACKBONE = { name: plan.name, version: plan.version, weights_sha256: plan.weightsSha256 };

/** Made-up codes around a centre for each label; other seeds give other codes. */
export function codes(label: string, count: number, seed = 1): { label: string; code: string }[] {
  let state = seed * 7919 + label.length * 31 + label.charCodeAt(0);
  const random = () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  const centre = Array.from({ length: engine.codeLength }, (_, d) => ((d * 31 + label.length * 17) % 5) / 5);
  return Array.from({ length: count }, () => {
    const code = Float16Array.from(centre, (middle) => middle + random());
    return { label, code: btoa(String.fromCharCode(...new Uint8Array(code.buffer))) };
  });
}

const { weightsSha256: _hash, codeLength: _length, ...space } = spaceOfPlan(plan, input);
export const SPACE = space;

export const batch = (...examples: object[][]) => ({
  backbone: BACKBONE,
  space: SPACE,
  examples: examples.flat(),
});
