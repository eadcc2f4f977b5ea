/** The network of a Teachable Machine export that lies beside the project: a MobileNetV2 of width 0.35. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromFolder, parseJson, readModelFiles } from '../trainer/import/model-files.ts';
import { importTeachableMachine } from '../trainer/import/teachable-machine.ts';
import type { Network } from './networks.ts';
import { BESIDE } from './photo-sets.ts';

const FOLDER = join(BESIDE, 'teachable-machine/recyclables');

/** With its averaged last map alone as the code; undefined where the export is not there. */
export async function teachableMachine(): Promise<Network | undefined> {
  if (!existsSync(FOLDER)) return undefined;
  const metadata = parseJson(new Uint8Array(readFileSync(join(FOLDER, 'metadata.json'))), 'metadata.json');
  const { backbone } = importTeachableMachine(await readModelFiles(fromFolder(FOLDER)), metadata);
  const [features] = backbone.plan.taps;
  const end = backbone.plan.steps.findIndex(({ name }) => name === features.step) + 1;
  const plan = { ...backbone.plan, steps: backbone.plan.steps.slice(0, end), taps: [features] };
  const { height, width } = plan.input;
  return {
    backbone: { ...backbone, plan, codeLength: features.channels },
    input: { height, width, rules: 1 },
  };
}
