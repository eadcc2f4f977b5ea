/** headwater import teachable-machine: an export becomes a backbone for the deployment and a head that needs it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeHead } from '../../src/head/index.ts';
import { FileError } from '../cli/failure.ts';
import { byteSize, requireWritable, writeWhole } from '../files.ts';
import { backboneJson, writeBackboneFiles } from '../import/backbone-files.ts';
import { measureClassifier } from '../import/parity.ts';
import { fromFolder, parseJson, readModelFiles } from '../import/model-files.ts';
import { importTeachableMachine, PIXEL_SCALE } from '../import/teachable-machine.ts';
import { BACKBONES_FOLDER, userPath } from '../paths.ts';
import { table, type Terminal } from '../cli/terminal.ts';

interface ImportOptions {
  readonly out: string;
  readonly backbones?: string;
  /** pixels / pixelScale − 1 is what the model reads. */
  readonly pixelScale?: number;
}

/** @throws FileError, ModelError; Error when the import does not answer as the original. */
export async function importTeachableMachineCommand(
  folder: string,
  { out: chosen, backbones = BACKBONES_FOLDER, pixelScale = PIXEL_SCALE }: ImportOptions,
  terminal: Terminal,
): Promise<void> {
  const out = userPath(chosen);
  await requireWritable(out);
  const files = await readModelFiles(fromFolder(folder));
  const metadata = parseJson(await readMetadata(folder), 'metadata.json');
  const imported = importTeachableMachine(files, metadata, pixelScale);
  terminal.note('Comparing with the original in TensorFlow.js …');
  const parity = await measureClassifier(files, imported, pixelScale);
  const { plan, weights, head, labels } = imported;
  const backboneFolder = join(backbones, plan.name);
  const description = { ...imported.description, parity: parity.text };
  await writeBackboneFiles(backboneFolder, { ...imported, description });
  const file = writeHead(head);
  await writeWhole(out, file);
  const rows = [
    ['labels', labels.join(', ')],
    ['head', `${out} (${byteSize(file.length)})`],
    ['backbone', `${backboneFolder} (${byteSize(weights.length)})`],
    ['largest difference from the original', parity.largestDifference.toExponential(1)],
  ];
  terminal.print(table(['', ''], rows));
  terminal.note('The Worker takes the backbone in when it is built again: npm run build.');
  terminal.result({
    head: { path: out, bytes: file.length, labels },
    backbone: backboneJson(backboneFolder, plan),
    parity: { pictures: parity.pictures, largest_difference: parity.largestDifference },
  });
}

async function readMetadata(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'metadata.json');
  try {
    return await readFile(path);
  } catch (error) {
    const holds = 'an export holds model.json, weights.bin and metadata.json';
    throw new FileError(`Could not read ${path}; ${holds}`, error);
  }
}
