/** The verbs of the command line that bring models in and take heads out. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { BackboneAddOptions } from '../commands/backbone.ts';
import type { ExportOptions } from '../commands/export.ts';
import type { ImportOptions } from '../commands/import.ts';
import { createTerminal } from './terminal.ts';

interface Common {
  readonly json?: boolean;
}

const JSON_OPTION = 'print one JSON object on standard output and nothing else there';
const BACKBONES_OPTION = [
  '--backbones <folder>',
  'where backbones go (default: the one the Worker is built from)',
] as const;

export function addModelVerbs(program: Command): void {
  addImport(program);
  addBackbone(program);
  addExport(program);
}

function addImport(program: Command): void {
  program
    .command('import')
    .description('bring in a classifier trained elsewhere')
    .command('teachable-machine')
    .description('an export of Teachable Machine (TensorFlow.js): model.json, weights.bin, metadata.json')
    .argument('<folder>', 'folder with the export, unpacked')
    .option('--out <file>', 'where to write the head', 'teachable-machine.safetensors')
    .option(...BACKBONES_OPTION)
    .option('--pixel-scale <n>', 'the model reads pixels / n − 1; the site’s library has 127', positiveNumber)
    .option('--json', JSON_OPTION)
    .action(async (folder: string, options: ImportOptions & Common) => {
      const { importTeachableMachineCommand } = await import('../commands/import.ts');
      await importTeachableMachineCommand(folder, options, createTerminal({ json: options.json ?? false }));
    });
}

function addBackbone(program: Command): void {
  program
    .command('backbone')
    .description('backbones of the deployment besides the built-in one')
    .command('add')
    .description('a TensorFlow.js graph model of the MobileNet family: V1, V2 or V3')
    .argument('<model>', 'folder with model.json and its shards, or the address of model.json')
    .option('--name <name>', 'what to call it (default: after the folder)')
    .option(...BACKBONES_OPTION)
    .addOption(
      new Option('--pixels <range>', 'the pixel values that the model reads')
        .choices(['0..1', '-1..1', '0..255'])
        .default('0..1'),
    )
    .option('--size <n>', 'side of the pictures in pixels, where the model leaves it open', positiveNumber)
    .option('--json', JSON_OPTION)
    .action(async (model: string, options: BackboneAddOptions & Common) => {
      const { addBackboneCommand } = await import('../commands/backbone.ts');
      await addBackboneCommand(model, options, createTerminal({ json: options.json ?? false }));
    });
}

function addExport(program: Command): void {
  program
    .command('export')
    .description('a head with its backbone as a model of another tool')
    .argument('<head>', 'head file')
    .addOption(
      new Option('--format <format>', 'what to write')
        .choices(['onnx', 'tflite', 'tfjs-graph'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'where to write the model')
    .option('--json', JSON_OPTION)
    .action(async (head: string, options: ExportOptions & Common) => {
      const { exportCommand } = await import('../commands/export.ts');
      await exportCommand(head, options, createTerminal({ json: options.json ?? false }));
    });
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= 1024))
    throw new InvalidArgumentError('It must be a number above 0, at most 1024.');
  return number;
}
