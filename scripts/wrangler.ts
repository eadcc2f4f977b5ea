/** Runs the project's own wrangler and keeps what it says. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './stale.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Never asks anything: without a terminal wrangler takes its defaults or fails.
 * @param timeoutMs after which it is ended, and `code` is null.
 */
export function wrangler(args: readonly string[], timeoutMs = 120_000): Promise<Ran> {
  const child = spawn(process.execPath, [join(root, 'node_modules/wrangler/bin/wrangler.js'), ...args], {
    cwd: root,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
