/** How long starting the Worker takes on local workerd, as wrangler profiles it. */
import { join } from 'node:path';
import { root } from './stale.ts';
import { wrangler } from '../wrangler.ts';

export interface Startup {
  /** wrangler's own lines: bundle, profile, active and idle time. */
  readonly lines: readonly string[];
  readonly activeMs: number;
}

const FIGURE = /^│ {1,3}(Bundle|Local startup profile|Profile window|Active|Idle)\b/;

/** Takes a few seconds. @throws Error in wrangler's words. */
export async function measureStartup(): Promise<Startup> {
  const profile = join(root, 'build/startup.cpuprofile');
  const { code, stdout, stderr } = await wrangler(['check', 'startup', '--outfile', profile]);
  // What follows "Samples" explains the profile's format.
  const lines = stdout.split('\n').filter((line) => FIGURE.test(line));
  const active = /Active: ([\d.]+) ms/.exec(stdout)?.[1];
  if (code !== 0 || lines.length === 0 || active === undefined)
    throw new Error(`The Worker could not be measured:\n${stdout}${stderr}`);
  return { lines: lines.map((line) => line.replace(/^│ /, '')), activeMs: Number(active) };
}
