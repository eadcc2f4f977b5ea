/**
 * The backbones of a deployment besides the built-in one. Each is made when the first head that names it is asked for,
 * and stays: the build sees to it that all of them together fit.
 */
import { loadBackbone, type Backbone } from '../src/backbone/index.ts';
import type { Head } from '../src/head/index.ts';
import type { Runtime } from './runtime.ts';

export interface AddedBackbone {
  readonly weightsSha256: string;
  /** The parsed plan file. */
  readonly plan: unknown;
  readonly weights: ArrayBuffer;
}

/** Finds the runtime that a head needs. */
export type RuntimeOf = (head: Pick<Head, 'backbone'>) => Promise<Runtime>;

/**
 * @param builtIn what a head gets that names none of the added backbones: it will be told what it doesn't fit.
 * @param create makes a runtime; given what finds runtimes, which is part of each.
 */
export function runtimeFinder(
  added: readonly AddedBackbone[],
  builtIn: () => Runtime,
  create: (backbone: Backbone, of: RuntimeOf) => Promise<Runtime>,
): RuntimeOf {
  const made = new Map<string, Runtime>();
  const of: RuntimeOf = async ({ backbone: { weightsSha256 } }) => {
    const known = made.get(weightsSha256);
    if (known !== undefined) return known;
    const found = added.find((each) => each.weightsSha256 === weightsSha256);
    if (found === undefined || weightsSha256 === builtIn().plan.weightsSha256) return builtIn();
    const runtime = await create(loadBackbone(found.plan, new Uint8Array(found.weights)), of);
    // Another request may have been quicker; a promise shared between them could outlive the one that made it.
    const first = made.get(weightsSha256) ?? runtime;
    made.set(weightsSha256, first);
    return first;
  };
  return of;
}
