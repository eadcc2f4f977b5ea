/** Which plans run on integers, and what is rounded only once. */
import { ACTIVATION_TABLE } from '../../activations.ts';
import { WHOLE } from '../../cut.ts';
import type { AddStep, Step } from '../../plan.ts';
import type { Ranges } from '../../ranges.ts';
import { findFusedAdds } from '../fuse.ts';
import { readersOf, readsOf } from '../../readers.ts';
import { unsupported } from './codes.ts';

/** @throws HeadwaterError `backbone_invalid` that names the first step which floats alone can run. */
export function checkSteps(steps: readonly Step[], { wide }: Ranges): void {
  for (const step of steps) {
    if (step.op === 'squeeze-excite') throw unsupported(step.name, 'it squeezes and excites');
    if ('activation' in step && ACTIVATION_TABLE[step.activation].clip === undefined)
      throw unsupported(step.name, `its activation is ${step.activation}`);
    if (step.op !== 'conv' && readsOf(step).includes(WHOLE))
      throw unsupported(step.name, 'only a convolution reads the picture');
    const readers = readersOf(steps, step.name);
    const wideReaders = readers.filter((reader) => wide.has(reader.name));
    if (wideReaders.length === 0) continue;
    if (wideReaders.length < readers.length)
      throw unsupported(step.name, 'some of its readers compute in 16 bits and others in 8');
    if (!(step.op === 'conv' || step.op === 'depthwise') || !(step.input === WHOLE || wide.has(step.name)))
      throw unsupported(wideReaders[0].name, `it has 16 bits and reads '${step.name}', which has 8`);
  }
}

/**
 * The adds that are part of the 8-bit convolution before them, where that has no activation: both are rounded at once.
 * @returns them by that convolution's name.
 */
export function fusedAdds(
  steps: readonly Step[],
  tapped: ReadonlySet<string>,
  { wide }: Ranges,
): Map<string, AddStep> {
  const found = findFusedAdds(steps, tapped);
  for (const step of steps) {
    if (step.op === 'conv' && (step.activation !== 'none' || wide.has(step.name))) found.delete(step.name);
  }
  return found;
}
