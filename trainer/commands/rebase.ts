/** headwater rebase: moves a head on a Worker to its default code space, a page of kept pictures at a time. */
import { ApiError, type HeadwaterClient } from '../../sdk/client.ts';
import type { JudgedVersion, Rebase } from '../../src/api/index.ts';
import { printable, table, type Cell, type Terminal } from '../cli/terminal.ts';
import { clientFor, requireHeadName, type WorkerOptions } from '../cli/worker-options.ts';

/** The last step trains the head, which takes longer than others. */
const STEP_TIMEOUT_MS = 300_000;

interface RebaseOptions extends WorkerOptions {
  /** Gives up a move that is under way. */
  readonly giveUp?: boolean;
}

export async function rebase(head: string, options: RebaseOptions, terminal: Terminal): Promise<void> {
  const name = requireHeadName(head);
  const client = clientFor(options);
  if (options.giveUp === true) {
    const left = await client.giveUpRebase(name);
    terminal.print(left.state === 'done' ? `${name} was moved before.` : `${name} stays as it was.`);
    terminal.result(left);
    return;
  }
  const first = await client.rebaseProgress(name);
  const last = first.state === 'done' ? first : await moveAll(client, name, first, terminal);
  terminal.print(summary(last, first.state === 'done'));
  terminal.result(last);
}

/** Each step is kept by the Worker: after an interruption the same command goes on from there. */
async function moveAll(
  client: HeadwaterClient,
  name: string,
  first: Rebase,
  terminal: Terminal,
): Promise<Rebase> {
  if (first.done > 0) terminal.note(`${first.done} of ${first.total} pictures were read before.`);
  const progress = terminal.progress('Reading', first.total - first.done);
  let known = first;
  try {
    for (;;) {
      if (known.state === 'under_way' && known.done === known.total) terminal.note('Training …');
      const now = await client.rebase(name, { timeoutMs: STEP_TIMEOUT_MS });
      for (let i = known.done; i < now.done; i++) progress.step();
      if (now.state === 'done') return now;
      if (now.state === 'not_begun')
        throw new ApiError(`Moving ${name} was given up meanwhile.`, { status: 409, code: 'conflict' });
      known = now;
    }
  } finally {
    progress.stop();
  }
}

function summary({ head, to, before, after }: Rebase, already: boolean): string {
  const what = already ? 'has' : 'was moved to';
  const moved = `${head} ${what} the codes of ${printable(to.name)} ${printable(to.version)}.`;
  const rows = [...row('before', before), ...row('after', after)];
  if (rows.length === 0) return moved;
  return `${moved}\n\n${table(['', 'version', 'examples', 'accuracy %', 'log-loss'], rows)}`;
}

function row(when: string, version: JudgedVersion | undefined): Cell[][] {
  if (version === undefined) return [];
  const { leave_one_out: metrics } = version;
  if (metrics === null) return [[when, version.version, '–', '–', '–']];
  const { examples, accuracy, log_loss: logLoss } = metrics;
  return [[when, version.version, examples, (100 * accuracy).toFixed(1), logLoss.toFixed(3)]];
}
