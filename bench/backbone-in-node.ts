/** A backbone alone on engines in this process, in one run. */
import { agreement, type Agreement } from './agreement.ts';
import type { Candidate } from './engines.ts';
import { interleave, local, type Rounds, type Timing } from './measure.ts';

interface InNode {
  readonly timings: ReadonlyMap<string, Timing>;
  readonly agreement: ReadonlyMap<string, Agreement>;
}

/** @param engines the reference first. @throws Error when an engine's codes are not those of the reference. */
export async function backboneInNode(
  engines: readonly Candidate[],
  pixels: Uint8Array,
  rounds: Rounds,
): Promise<InNode> {
  const runs = engines.map(({ name, run }) => local(name, run(pixels)));
  const agreements = new Map<string, Agreement>();
  let reference: Float32Array | undefined;
  for (const { name, run } of engines) {
    const codes = await run(pixels)();
    reference ??= codes.slice();
    agreements.set(name, agreement(name, codes, reference));
  }
  return { timings: await interleave(runs, rounds), agreement: agreements };
}
