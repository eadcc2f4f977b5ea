/** headwater backbone add: a published MobileNet becomes a backbone of the deployment. */
import { basename, join } from 'node:path';
import { byteSize } from '../files.ts';
import { UsageError } from '../cli/failure.ts';
import { backboneJson, writeBackboneFiles } from '../import/backbone-files.ts';
import { importGraphBackbone, type PixelRange } from '../import/graph/backbone.ts';
import { measureGraph } from '../import/graph/parity.ts';
import { fromFolder, fromUrl, readModelFiles, type ReadPart } from '../import/model-files.ts';
import { BACKBONES_FOLDER, userPath } from '../paths.ts';
import { table, type Terminal } from '../cli/terminal.ts';

interface BackboneAddOptions {
  readonly name?: string;
  readonly backbones?: string;
  /** For example '-1..1'. */
  readonly pixels: string;
  readonly size?: number;
}

/** @throws UsageError, FileError, ModelError; Error when the import computes something else than the original. */
export async function addBackboneCommand(
  model: string,
  options: BackboneAddOptions,
  terminal: Terminal,
): Promise<void> {
  const { read, name: found, source } = locate(model);
  const name = options.name ?? found;
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) {
    throw new UsageError(
      `'${name}' cannot name a backbone; give it --name, in small letters, digits, '.', '-' and '_'.`,
    );
  }
  const files = await readModelFiles(read);
  const pixels = pixelRange(options.pixels);
  const imported = importGraphBackbone(files, { name, pixels, source, size: options.size });
  terminal.note('Comparing with the original in TensorFlow.js …');
  const parity = await measureGraph(files, imported, pixels);
  const { plan, weights, backbone } = imported;
  const folder = join(options.backbones ?? BACKBONES_FOLDER, name);
  const description = { ...imported.description, parity: parity.text };
  await writeBackboneFiles(folder, { ...imported, description });
  const rows = parity.taps.map(({ name, node, cosine }) => [name, node, cosine.toFixed(7)]);
  terminal.print(table(['tap', 'node', 'cosine with the original'], rows));
  terminal.print(
    `${folder}: ${plan.steps.length} steps, codes of ${backbone.codeLength} numbers, ${byteSize(weights.length)}.`,
  );
  terminal.note('The Worker takes it in when it is built again: npm run build.');
  terminal.result({
    backbone: backboneJson(folder, plan),
    code_length: backbone.codeLength,
    taps: plan.taps,
    parity: parity.taps,
  });
}

function locate(model: string): { read: ReadPart; name: string; source: string } {
  if (/^https?:\/\//.test(model)) {
    const url = new URL(model);
    if (!url.pathname.endsWith('/model.json'))
      throw new UsageError('The address must be that of a model.json.');
    const name = url.pathname.split('/').at(-2) ?? '';
    return { read: fromUrl(url), name: name.toLowerCase(), source: url.href };
  }
  const folder = userPath(model);
  const name = basename(folder);
  return { read: fromFolder(folder), name: name.toLowerCase(), source: `the folder \`${name}\`` };
}

function pixelRange(text: string): PixelRange {
  const [low, high] = text.split('..').map(Number);
  return { low, high };
}
