/** The project as it was deployed with MobileNetV3-Small as its default, and as it is with EfficientNet-Lite0. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { PictureInput } from '../../../src/head/index.ts';
import { shared } from '../shared.ts';
import { Deployment } from './deployment.ts';

export interface Space {
  readonly backbone: string;
  readonly input: PictureInput;
}

export const OLD: Space = { backbone: 'mobilenet-v3-small', input: { height: 224, width: 224, rules: 1 } };
export const NEW: Space = { backbone: 'efficientnet-lite0', input: { height: 160, width: 160, rules: 2 } };

/** A request to `/v1/embed` for codes of a space. */
export function queryOf({ backbone, input }: Space): string {
  return `backbone=${backbone}&size=${input.height}&rules=${input.rules}`;
}

export interface Bundles {
  /** Folders. */
  readonly older: string;
  readonly later: string;
}

/** Those that all test files of a run have in common. */
export async function sharedDefaults(): Promise<Bundles> {
  const folder = await shared('two-defaults', async (made) => {
    const { older, later, remove } = await twoDefaults();
    cpSync(older, join(made, 'older'), { recursive: true });
    cpSync(later, join(made, 'later'), { recursive: true });
    await remove();
  });
  return { older: join(folder, 'older'), later: join(folder, 'later') };
}

export async function twoDefaults(): Promise<Bundles & { readonly remove: () => Promise<void> }> {
  const deployments = [OLD, NEW].map(({ backbone, input }) => {
    const deployment = new Deployment();
    deployment.defaultTo(backbone, input);
    return deployment;
  });
  const [older, later] = await Promise.all(deployments.map((each) => each.bundle()));
  const remove = async (): Promise<void> => {
    for (const each of deployments) await each.stop();
  };
  return { older, later, remove };
}
