/** The verbs of the command line that bring models in and take heads out. */
import { Option, type Command } from 'commander';
import { userPath } from '../paths.ts';
import { positiveNumber, runs } from './options.ts';

const BACKBONES_OPTION = [
  '--backbones <folder>',
  'where backbones go (default: the one the Worker is built from)',
  userPath,
] as const;

export function addModelVerbs(program: Command): void {
  const teachableMachine = program
    .command('import')
    .description('bring in a classifier trained elsewhere')
    .command('teachable-machine')
    .description('an export of Teachable Machine (TensorFlow.js): model.json, weights.bin, metadata.json')
    .argument('<folder>', 'folder with the export, unpacked', userPath)
    .option('--out <file>', 'where to write the head', 'teachable-machine.safetensors')
    .option(...BACKBONES_OPTION)
    .option(
      '--pixel-scale <n>',
      'the model reads pixels / n − 1; the site’s library has 127',
      positiveNumber,
    );
  runs(teachableMachine, async () => (await import('../commands/import.ts')).importTeachableMachineCommand);

  const add = program
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
    .option('--size <n>', 'side of the pictures in pixels, where the model leaves it open', positiveNumber);
  runs(add, async () => (await import('../commands/backbone.ts')).addBackboneCommand);

  const take = program
    .command('export')
    .description('a head with its backbone as a model of another tool')
    .argument('<head>', 'head file', userPath)
    .addOption(
      new Option('--format <format>', 'what to write')
        .choices(['onnx', 'tflite', 'tfjs-graph'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'where to write the model', userPath);
  runs(take, async () => (await import('../commands/export.ts')).exportCommand);
}
