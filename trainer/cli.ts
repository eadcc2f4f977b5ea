#!/usr/bin/env node
/** The command line: verbs and options, and what a run ends with. The work is done in commands/, loaded when needed. */
import process from 'node:process';
import { Command, CommanderError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { addModelVerbs } from './cli/models.ts';
import { EXIT, explain } from './cli/failure.ts';
import { interrupt, whatIsKept } from './cli/interrupt.ts';
import {
  addReadingOptions,
  addWorkerOptions,
  duration,
  milliseconds,
  positiveInteger,
  runs,
  wholeNumber,
} from './cli/options.ts';
import { userPath } from './paths.ts';
import { STRATEGIES } from './strategy/strategies.ts';

function buildProgram(): Command {
  const program = new Command('headwater')
    .description('Trains heads on folders of pictures, judges them, and takes them to a Worker.')
    .version(packageJson.version)
    .exitOverride()
    .showHelpAfterError('(run with --help for the options)');
  addTraining(program);
  addJudging(program);
  addRemote(program);
  addModelVerbs(program);
  return program;
}

function addTraining(program: Command): void {
  const train = program
    .command('train')
    .description('train a head on a data set: one folder a class, or a CSV or JSONL manifest')
    .argument('<data>', 'folder or manifest', userPath)
    .requiredOption('--out <file>', 'where to write the head', userPath)
    .option('--test <data>', 'data set that is not trained on, for honest metrics', userPath)
    .addOption(new Option('--strategy <name>', 'how to transfer').choices(STRATEGIES).default('auto'))
    .addOption(
      new Option(
        '--solver <name>',
        'how linear strategies find their head; behind a tuned network it is always ridge',
      )
        .choices(['auto', 'ridge', 'logistic'])
        .default('auto'),
    );
  addReadingOptions(train)
    .option('--budget <time>', 'time for auto to try fine-tuning in, such as 90s, 10m or 1h', duration, 600)
    .option(
      '--cpu-budget <ms>',
      'milliseconds a picture at the edge within which auto chooses backbone and size (default: 7.5, within the 10 of a request on the free plan)',
      milliseconds,
    )
    .option('--seed <n>', 'decides every draw of chance', wholeNumber, 1)
    .option('--resume', 'go on with a fine-tuning run that was interrupted')
    .option('--report <file>', 'where to write the HTML report (default: beside the head)', userPath)
    .option('--no-report', 'write no report');
  runs(train, async () => (await import('./commands/train.ts')).train);

  const analyse = program
    .command('analyse')
    .description(
      'what there is to know about a data set: balance, copies, doubtful labels, size and similarity',
    )
    .argument('<data>', 'folder or manifest', userPath)
    .option('--test <data>', 'data set for testing: does it share pictures with the other?', userPath);
  addReadingOptions(analyse)
    .option('--seed <n>', 'decides every draw of chance', wholeNumber, 1)
    .option('--report <file>', 'write an HTML report', userPath);
  runs(analyse, async () => (await import('./commands/analyse.ts')).analyse);
}

function addJudging(program: Command): void {
  const evaluate = program
    .command('eval')
    .description('metrics of a head on another data set')
    .argument('<data>', 'folder or manifest', userPath)
    .requiredOption('--head <file>', 'head file', userPath)
    .option(
      '--unknown <folder>',
      'pictures of anything else: how many does the head flag as unknown?',
      userPath,
    )
    .option(
      '--leave-out <data>',
      'training data set: leave each class out in turn and tell it from the rest',
      userPath,
    )
    .option('--report <file>', 'write an HTML report', userPath);
  runs(evaluate, async () => (await import('./commands/eval.ts')).evaluateCommand);

  const classify = program
    .command('classify')
    .description('what a head says about pictures')
    .argument('<pictures...>', 'files or folders')
    .requiredOption('--head <file or name>', 'head file, or the name of a head on a Worker')
    .option('--top-k <n>', 'labels to show for each picture', positiveInteger, 3);
  runs(addWorkerOptions(classify), async () => (await import('./commands/classify.ts')).classify);

  const inspect = program
    .command('inspect')
    .description('what a head file says about itself')
    .argument('<file>', 'head file', userPath);
  runs(inspect, async () => (await import('./commands/inspect.ts')).inspect);
}

/** What is done on a Worker. */
function addRemote(program: Command): void {
  const push = program
    .command('push')
    .description('upload a head to a Worker as a new version')
    .argument('<file>', 'head file', userPath)
    .requiredOption('--head <name>', 'name of the head on the Worker');
  runs(addWorkerOptions(push), async () => (await import('./commands/push.ts')).push);

  const teach = program
    .command('teach')
    .description('send a data set to a Worker, which trains the head itself')
    .argument('<data>', 'folder or manifest', userPath)
    .requiredOption('--head <name>', 'name of the head on the Worker');
  runs(addWorkerOptions(teach), async () => (await import('./commands/teach.ts')).teach);

  const rebase = program
    .command('rebase')
    .description('move a head on a Worker to its default code space, from the pictures that are kept there')
    .argument('<head>', 'name of the head on the Worker')
    .option('--give-up', 'give up a move that is under way: the head stays as it is');
  runs(addWorkerOptions(rebase), async () => (await import('./commands/rebase.ts')).rebase);
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
// A reader that stops early (… | head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
);

process.exitCode = await main(process.argv.slice(2));
