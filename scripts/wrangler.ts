/** Runs the project's own wrangler and keeps what it says. */
import { join } from 'node:path';
import { run, type Ran } from './run.ts';
import { root } from './build/stale.ts';

const QUIETLY = { WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' };

/** Never asks anything: without a terminal wrangler takes its defaults or fails. */
export function wrangler(args: readonly string[], timeoutMs = 120_000): Promise<Ran> {
  const program = join(root, 'node_modules/wrangler/bin/wrangler.js');
  return run(process.execPath, [program, ...args], { cwd: root, env: QUIETLY, timeoutMs });
}
