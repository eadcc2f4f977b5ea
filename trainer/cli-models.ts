/** The verbs of the command line that bring models in and take heads out. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { ImportOptions } from './commands/import.ts';
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
      const { importTeachableMachineCommand } = await import('./commands/import.ts');
      await importTeachableMachineCommand(folder, options, createTerminal({ json: options.json ?? false }));
    });
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= 1024))
    throw new InvalidArgumentError('It must be a number above 0, at most 1024.');
  return number;
}
