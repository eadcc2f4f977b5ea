#!/usr/bin/env node
/** The command line: verbs and options, and what a run ends with. The work is done in commands/, loaded when asked for. */
import process from 'node:process';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { BACKBONE_VARIABLE } from './backbones.ts';
import { addModelVerbs } from './cli/models.ts';
import type { AnalyseOptions } from './commands/analyse.ts';
import type { ClassifyOptions } from './commands/classify.ts';
import type { EvalOptions } from './commands/eval.ts';
import type { PushOptions } from './commands/push.ts';
import type { RebaseOptions } from './commands/rebase.ts';
import type { TeachOptions } from './commands/teach.ts';
import type { TrainOptions } from './commands/train.ts';
import { EXIT, explain } from './cli/failure.ts';
import { interrupt, whatIsKept } from './cli/interrupt.ts';
import { STRATEGIES } from './strategy/strategies.ts';
import { createTerminal, type Terminal } from './cli/terminal.ts';

interface Common {
  readonly json?: boolean;
}

interface BackboneChoice {
  readonly backbone?: string;
}

const JSON_OPTION = 'print one JSON object on standard output and nothing else there';

function buildProgram(): Command {
  const program = new Command('headwater')
    .description('Trains heads on folders of pictures, judges them, and takes them to a Worker.')
    .version(packageJson.version)
    .exitOverride()
    .showHelpAfterError('(run with --help for the options)');
  addTrain(program);
  addAnalyse(program);
  addEval(program);
  addClassify(program);
  addInspect(program);
  addPush(program);
  addTeach(program);
  addRebase(program);
  addModelVerbs(program);
  return program;
}

function addTrain(program: Command): void {
  program
    .command('train')
    .description('train a head on a data set: one folder a class, or a CSV or JSONL manifest')
    .argument('<data>', 'folder or manifest')
    .requiredOption('--out <file>', 'where to write the head')
    .option('--test <data>', 'data set that is not trained on, for honest figures')
    .addOption(new Option('--strategy <name>', 'how to transfer').choices(STRATEGIES).default('auto'))
    .addOption(
      new Option(
        '--solver <name>',
        'how linear strategies find their head; behind a tuned network it is always ridge',
      )
        .choices(['auto', 'ridge', 'logistic'])
        .default('auto'),
    )
    .addOption(backboneOption())
    .addOption(sizeOption())
    .option('--budget <time>', 'time for auto to try fine-tuning in, such as 90s, 10m or 1h', budget, 600)
    .option(
      '--cpu-budget <ms>',
      'milliseconds a picture at the edge within which auto chooses backbone and size (default: 7.5, within the 10 of a request on the free plan)',
      milliseconds,
    )
    .option('--seed <n>', 'decides every draw of chance', wholeNumber, 1)
    .option('--resume', 'go on with a fine-tuning run that was interrupted')
    .option('--report <file>', 'where to write the HTML report (default: beside the head)')
    .option('--no-report', 'write no report')
    .option('--json', JSON_OPTION)
    .action(async (data: string, options: TrainOptions & Common & BackboneChoice) => {
      chooseBackbone(options);
      const { train } = await import('./commands/train.ts');
      await train(data, options, terminalFor(options));
    });
}

function addAnalyse(program: Command): void {
  program
    .command('analyse')
    .description(
      'what there is to know about a data set: balance, copies, doubtful labels, size and similarity',
    )
    .argument('<data>', 'folder or manifest')
    .option('--test <data>', 'data set for testing: does it share pictures with the other?')
    .addOption(backboneOption())
    .addOption(sizeOption())
    .option('--seed <n>', 'decides every draw of chance', wholeNumber, 1)
    .option('--report <file>', 'write an HTML report')
    .option('--json', JSON_OPTION)
    .action(async (data: string, options: AnalyseOptions & Common & BackboneChoice) => {
      chooseBackbone(options);
      const { analyse } = await import('./commands/analyse.ts');
      await analyse(data, options, terminalFor(options));
    });
}

function addEval(program: Command): void {
  program
    .command('eval')
    .description('figures of a head on another data set')
    .argument('<data>', 'folder or manifest')
    .requiredOption('--head <file>', 'head file')
    .option('--unknown <folder>', 'pictures of anything else: how many does the head flag as unknown?')
    .option('--leave-out <data>', 'training data set: leave each class out in turn and tell it from the rest')
    .option('--report <file>', 'write an HTML report')
    .option('--json', JSON_OPTION)
    .action(async (data: string, options: EvalOptions & Common) => {
      const { evaluateCommand } = await import('./commands/eval.ts');
      await evaluateCommand(data, options, terminalFor(options));
    });
}

function addClassify(program: Command): void {
  program
    .command('classify')
    .description('what a head says about pictures')
    .argument('<pictures...>', 'files or folders')
    .requiredOption('--head <file or name>', 'head file, or the name of a head on a Worker')
    .option('--top-k <n>', 'labels to show for each picture', positiveInteger, 3)
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--json', JSON_OPTION)
    .action(async (pictures: string[], options: ClassifyOptions & Common) => {
      const { classify } = await import('./commands/classify.ts');
      await classify(pictures, options, terminalFor(options));
    });
}

function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('what a head file says about itself')
    .argument('<file>', 'head file')
    .option('--json', JSON_OPTION)
    .action(async (file: string, options: Common) => {
      const { inspect } = await import('./commands/inspect.ts');
      await inspect(file, terminalFor(options));
    });
}

function addPush(program: Command): void {
  program
    .command('push')
    .description('upload a head to a Worker as a new version')
    .argument('<file>', 'head file')
    .requiredOption('--head <name>', 'name of the head on the Worker')
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--json', JSON_OPTION)
    .action(async (file: string, options: PushOptions & Common) => {
      const { push } = await import('./commands/push.ts');
      await push(file, options, terminalFor(options));
    });
}

function addTeach(program: Command): void {
  program
    .command('teach')
    .description('send a data set to a Worker, which trains the head itself')
    .argument('<data>', 'folder or manifest')
    .requiredOption('--head <name>', 'name of the head on the Worker')
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--json', JSON_OPTION)
    .action(async (data: string, options: TeachOptions & Common) => {
      const { teach } = await import('./commands/teach.ts');
      await teach(data, options, terminalFor(options));
    });
}

function addRebase(program: Command): void {
  program
    .command('rebase')
    .description('move a head on a Worker to its default code space, from the pictures that are kept there')
    .argument('<head>', 'name of the head on the Worker')
    .option('--give-up', 'give up a move that is under way: the head stays as it is')
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--json', JSON_OPTION)
    .action(async (head: string, options: RebaseOptions & Common) => {
      const { rebase } = await import('./commands/rebase.ts');
      await rebase(head, options, terminalFor(options));
    });
}

function backboneOption(): Option {
  return new Option(
    '--backbone <name>',
    'backbone to train on: an embedded or an added one (default: the built-in one)',
  ).env(BACKBONE_VARIABLE);
}

function chooseBackbone({ backbone }: BackboneChoice): void {
  if (backbone !== undefined) process.env[BACKBONE_VARIABLE] = backbone;
}

function sizeOption(): Option {
  return new Option(
    '--size <side>',
    'side in pixels of the pictures that the backbone reads (default: the one for the edge)',
  ).argParser(positiveInteger);
}

function urlOption(): Option {
  return new Option('--url <url>', 'address of the Worker').env('HEADWATER_URL');
}

function keyOption(): Option {
  return new Option('--key <key>', 'API key; the environment keeps it out of the list of processes').env(
    'HEADWATER_KEY',
  );
}

function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

function terminalFor({ json = false }: Common): Terminal {
  return createTerminal({ json });
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return Number(text);
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text) || value === 0 || value > 10_000)
    throw new InvalidArgumentError('It must be a number of milliseconds above 0, at most 10000.');
  return value;
}

/** @returns seconds. */
function budget(text: string): number {
  const [, count, unit] = /^([0-9]{1,6})(s|m|h)?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It must be a time such as 90s, 10m or 1h.');
  return Number(count) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1);
}

/** @returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const program = buildProgram();
  if (argv.length === 0) {
    program.outputHelp({ error: true });
    return EXIT.calledWrongly;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    // Commander has said what is wrong already; help and version are its errors with exit code 0.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      if (json) printError('usage', error.message.replace(/^error: /, ''));
      return EXIT.calledWrongly;
    }
    const { code, message, exitCode } = explain(error);
    process.stderr.write(`Error: ${message}\n`);
    if (json) printError(code, message);
    return exitCode;
  }
}

function printError(code: string, message: string): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
}

process.on('SIGINT', () => {
  if (interrupt()) return;
  // Files are written whole and renamed into place: nothing is left half done.
  const showCursor = process.stderr.isTTY ? '\u001b[?25h\n' : '';
  process.stderr.write(`${showCursor}Interrupted. ${whatIsKept()}\n`);
  process.exit(EXIT.interrupted);
});
// A reader that has seen enough (… | head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
);

process.exitCode = await main(process.argv.slice(2));
