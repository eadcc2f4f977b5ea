/** What the protocols ask of the core: pictures in, every label's logit and probability out. */
import { readCode, score, type Head } from '../../src/head/index.ts';
import { see, type LoadedHead } from '../classify.ts';
import type { Runtime } from '../runtime.ts';
import { ApiError } from '../problem.ts';

export interface Scores {
  readonly labels: readonly string[];
  /** Logits over the head's temperature: their softmax is the probabilities. */
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  readonly unknown: { readonly score: number; readonly isUnknown: boolean };
}

/** One for each picture. @throws HeadwaterError image_… */
export async function scorePictures(
  runtime: Runtime,
  { head }: LoadedHead,
  pictures: readonly Uint8Array[],
): Promise<Scores[]> {
  const { codes } = await see(runtime, pictures);
  return scoreCodes(runtime, head, codes);
}

/** @param codes n × D of the backbone. */
export function scoreCodes({ plan, engine }: Runtime, head: Head, codes: Float32Array): Scores[] {
  const { codeLength } = engine;
  return Array.from({ length: codes.length / codeLength }, (_, i) => {
    const code = readCode(head, plan, codes.subarray(i * codeLength, (i + 1) * codeLength));
    const { logits, probabilities, unknown } = score(head, code);
    return {
      labels: head.labels,
      logits: logits.map((logit) => logit / head.temperature),
      probabilities,
      unknown,
    };
  });
}

/** Indices of the largest values, equal ones in their order. */
export function topIndices(values: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, count);
}

/** A head's name with an optional @version, as protocols without versions of their own name it. */
export function headReference(text: string): { head: string; version: number | undefined } {
  const found = /^([a-z0-9][a-z0-9._-]{0,62})(?:@([1-9][0-9]{0,14}))?$/.exec(text);
  if (found === null) {
    throw new ApiError(
      'head_not_found',
      `There is no head '${text.slice(0, 80)}'. GET /v1/heads lists those there are.`,
    );
  }
  return { head: found[1], version: found[2] === undefined ? undefined : Number(found[2]) };
}
