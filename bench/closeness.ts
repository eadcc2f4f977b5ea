/** How near engines on few bits come to the network in floats: cosines of the last tap, where 8 bits show most. */
import type { Backbone } from '../src/backbone/index.ts';
import { cosine } from '../src/learn/statistics/cosine.ts';
import type { Candidate } from './engines.ts';
import type { Labelled } from './photo-sets.ts';

export interface Closeness {
  readonly least: number;
  readonly mean: number;
}

/** @param engines the one in floats that the others are compared with first. @returns by the engine's name. */
export async function closenessOf(
  engines: readonly Candidate[],
  { plan }: Backbone,
  photos: readonly Labelled[],
): Promise<Map<string, Closeness>> {
  const { channels } = plan.taps[plan.taps.length - 1];
  const lastTaps = async ({ run }: Candidate): Promise<Float32Array[]> => {
    const taps: Float32Array[] = [];
    for (const { pixels } of photos) taps.push((await run(pixels)()).slice(-channels));
    return taps;
  };
  const [reference] = engines;
  const expected = await lastTaps(reference);
  const found = new Map<string, Closeness>();
  for (const engine of engines) {
    const taps = engine === reference ? expected : await lastTaps(engine);
    const cosines = taps.map((tap, i) => cosine(tap, expected[i]));
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    found.set(engine.name, { least: Math.min(...cosines), mean });
  }
  return found;
}

export function closenessText({ least, mean }: Closeness): string {
  return `${mean.toFixed(4)}, ${least.toFixed(4)}`;
}
