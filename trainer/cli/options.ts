/** What the verbs of the command line share: options of several of them, how numbers are read, and how a verb is run. */
import process from 'node:process';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { BACKBONE_VARIABLE } from '../backbones.ts';
import { createTerminal, type Terminal } from './terminal.ts';

interface Common {
  readonly json?: boolean;
  readonly backbone?: string;
}

/** A verb's work on its argument. */
type Work<Argument, Options> = (argument: Argument, options: Options, terminal: Terminal) => Promise<void>;

/** Ends the description of a verb. @param load gives the verb's work, which is loaded when it is needed. */
export function runs<Argument, Options>(
  command: Command,
  load: () => Promise<Work<Argument, Options>>,
): void {
  command
    .option('--json', 'print one JSON object on standard output and nothing else there')
    .action(async (argument: Argument, options: Options & Common) => {
      const { backbone, json = false } = options;
      if (backbone !== undefined) process.env[BACKBONE_VARIABLE] = backbone;
      const work = await load();
      await work(argument, options, createTerminal({ json }));
    });
}

export function addReadingOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--backbone <name>',
        'backbone to train on: an embedded or an added one (default: the built-in one)',
      ).env(BACKBONE_VARIABLE),
    )
    .option(
      '--size <side>',
      'side in pixels of the pictures that the backbone reads (default: the one for the edge)',
      positiveInteger,
    );
}

export function addWorkerOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'address of the Worker').env('HEADWATER_URL'))
    .addOption(
      new Option('--key <key>', 'API key; the environment keeps it out of the list of processes').env(
        'HEADWATER_KEY',
      ),
    );
}

export function positiveInteger(text: string): number {
  return matching(/^[1-9][0-9]{0,4}$/, text, 'a whole number from 1 on');
}

export function wholeNumber(text: string): number {
  return matching(/^[0-9]{1,9}$/, text, 'a whole number from 0 on');
}

export function milliseconds(text: string): number {
  const what = 'a number of milliseconds above 0, at most 10000';
  return within(matching(/^[0-9]+(\.[0-9]+)?$/, text, what), 10_000, what);
}

export function positiveNumber(text: string): number {
  return within(Number(text), 1024, 'a number above 0, at most 1024');
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** @returns seconds. */
export function duration(text: string): number {
  const [, count, unit = 's'] = /^([0-9]{1,6})([smh])?$/.exec(text) ?? [];
  if (count === undefined) throw refused('a time such as 90s, 10m or 1h');
  return Number(count) * SECONDS[unit];
}

function matching(pattern: RegExp, text: string, what: string): number {
  if (!pattern.test(text)) throw refused(what);
  return Number(text);
}

function within(value: number, most: number, what: string): number {
  if (!(value > 0 && value <= most)) throw refused(what);
  return value;
}

function refused(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`It must be ${what}.`);
}
