/** How a run reads pictures: through which backbone, at what size and by which pixel rules. */
import { allowsSize, backboneAt } from '../src/backbone/at-size.ts';
import type { Backbone } from '../src/backbone/index.ts';
import type { Head, PictureInput } from '../src/head/head.ts';
import { TAIL_TAP } from '../src/head/index.ts';
import { defaultInput, inputOf } from '../src/head/picture-input.ts';
import type { CodesRead } from '../src/learn/training-set.ts';
import { readBackbone } from './backbones.ts';
import { UsageError } from './cli/failure.ts';

export interface Reading {
  /** In the input's size. */
  readonly backbone: Backbone;
  readonly input: PictureInput;
}

/**
 * How the run's pictures are read: by the chosen backbone.
 * @param side of the pictures in pixels; the backbone's default where absent.
 * @throws UsageError when the backbone is not here or not run at that size; FileError.
 */
export async function chosenReading(side?: number): Promise<Reading> {
  const backbone = await readBackbone();
  const { plan } = backbone;
  const input = defaultInput(plan);
  if (side === undefined) return readingAt(backbone, input);
  const size = { height: side, width: side };
  if (!allowsSize(plan, size)) {
    const { height, width, sides = [] } = plan.input;
    const sizes = [`${height}×${width}`, ...sides.map((each) => `${each}×${each}`)];
    throw new UsageError(
      `The backbone ${plan.name} is not run on pictures of ${side}×${side} pixels; its sizes are ${[...new Set(sizes)].join(', ')}.`,
    );
  }
  return readingAt(backbone, { ...input, ...size });
}

/** @param backbone in its own size. */
export function readingAt(backbone: Backbone, input: PictureInput): Reading {
  return { backbone: backboneAt(backbone, input), input };
}

/**
 * How a head's pictures are read. Whether the head fits the backbone is not looked at.
 * @param backbone in its own size.
 * @throws HeadwaterError `backbone_mismatch` when the backbone is not run at the head's size.
 */
export function readingOf(head: Pick<Head, 'input'>, backbone: Backbone): Reading {
  return readingAt(backbone, inputOf(head, backbone.plan));
}

/** @param taps names, those of a tail with TAIL_TAP before them. @returns what a head on these taps says that it reads. */
export function codesRead({ backbone: { plan }, input }: Reading, taps: readonly string[]): CodesRead {
  const { name, version, weightsSha256 } = plan;
  const known = new Map(plan.taps.map((tap) => [tap.name, tap.statistic ?? 'mean']));
  const statistics = taps.map((tap) => known.get(withoutTail(tap)) ?? 'mean');
  return {
    backbone: { name, version, weightsSha256 },
    taps,
    ...(statistics.every((statistic) => statistic === 'mean') ? {} : { statistics }),
    // Head files leave out what was the only way once: a plan's one size by rules 1.
    ...(input.rules === 1 && plan.input.sides === undefined ? {} : { input }),
  };
}

function withoutTail(tap: string): string {
  return tap.startsWith(TAIL_TAP) ? tap.slice(TAIL_TAP.length) : tap;
}
