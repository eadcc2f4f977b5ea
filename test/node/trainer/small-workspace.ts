/** A workspace whose backbone is so small that a test may train on it again and again. */
import { join } from 'node:path';
import { tensorOf, writeSafetensors } from '../../../src/safetensors.ts';
import { smallNetwork } from '../backbone/small-network.ts';
import { temporaryFolder, writeColours, writeFiles } from './workspace.ts';

/**
 * A folder with a data set, called colours, and a small random backbone, called small, that is run at 32, 40, 48, 64 and
 * 96 pixels.
 * @param count of pictures a class.
 */
export function smallWorkspace(count: number): { cwd: string; env: Record<string, string> } {
  const cwd = temporaryFolder();
  writeColours(join(cwd, 'colours'), count);
  const { plan, tensors, tensorShapes } = smallNetwork();
  const weights = writeSafetensors(
    new Map([...tensors].map(([name, values]) => [name, tensorOf(values, tensorShapes.get(name) ?? [])])),
  );
  writeFiles(join(cwd, 'backbones/small'), {
    'plan.json': JSON.stringify(plan),
    'weights.safetensors': weights,
  });
  return { cwd, env: { HEADWATER_BACKBONES: join(cwd, 'backbones') } };
}
