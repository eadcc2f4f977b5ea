/**
 * The output of a command. Results go to standard output, everything on the way to them to standard error; with --json
 * standard output carries one JSON object and nothing else, and tables join the rest on standard error.
 */
import process from 'node:process';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';

export interface Progress {
  /** Counts one more item as done. @param detail shown beside the pace. */
  step(detail?: string): void;
  stop(): void;
}

export interface Terminal {
  readonly json: boolean;
  /** A line about what is going on. */
  note(line: string): void;
  /** A line that the user should not miss. */
  warn(line: string): void;
  /** Part of the result for people: a table, a closing line. */
  print(text: string): void;
  /** The result for programs. Printed only with --json. */
  result(value: unknown): void;
  /** Shows how far a long piece of work is, how fast it goes, and how long it will still take. */
  progress(label: string, total: number): Progress;
}

/** Without a terminal to draw on, progress is a line now and then. */
const SECONDS_BETWEEN_LINES = 10;
/** Work shorter than this needs no bar. */
const SECONDS_BEFORE_BAR = 0.4;

export function createTerminal({ json }: { readonly json: boolean }): Terminal {
  return {
    json,
    note: say,
    warn: (line) => say(`Warning: ${line}`),
    print: (text) => (json ? say(text) : void process.stdout.write(`${text}\n`)),
    result: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    progress: progressOf,
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** On a terminal a bar, else a line now and then. */
function progressOf(label: string, total: number): Progress {
  const start = performance.now();
  let done = 0;
  let bar: SingleBar | undefined;
  let nextLine = SECONDS_BETWEEN_LINES;
  return {
    step(detail) {
      done++;
      const seconds = (performance.now() - start) / 1000;
      const pace = [paceText(done, total, seconds), detail].filter(Boolean).join(', ');
      if (process.stderr.isTTY) {
        if (seconds > SECONDS_BEFORE_BAR) bar ??= startBar(label, total, done);
        bar?.update(done, { pace });
      } else if (seconds >= nextLine) {
        nextLine = seconds + SECONDS_BETWEEN_LINES;
        say(`${label}: ${done}/${total}, ${pace}`);
      }
    },
    stop: () => bar?.stop(),
  };
}

/** For example '48/s, 2 min left'. */
function paceText(done: number, total: number, seconds: number): string {
  const rate = done / Math.max(seconds, 1e-3);
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s, ${duration((total - done) / rate)} left`;
}

function startBar(label: string, total: number, done: number): SingleBar {
  const bar = new SingleBar({
    format: `${label.padEnd(10)} {bar} {value}/{total}  {pace}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  bar.start(total, done, { pace: '' });
  return bar;
}

/** For example '8 s', '2 min', '1.5 h'. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export type Cell = string | number;

/** A table without lines, which survives being pasted. Columns of numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => row.map((cell) => printable(`${cell}`)));
  const isNumeric = (column: number): boolean => cells.every((row) => /^[\d.,%–\s-]+$/.test(row[column]));
  const grid = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (isNumeric(column) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: LINELESS,
  });
  grid.push(...cells);
  const lines = grid.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n');
}

const LINELESS = {
  ...Object.fromEntries(
    ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
      [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((name) => [name, '']),
    ),
  ),
  middle: '   ',
};

/** File names and labels may hold escape sequences; a terminal must not obey them. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\u{fffd}');
}
