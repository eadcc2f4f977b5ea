/** Formatting, lint and types, side by side. */
import { run } from './run.ts';
import { root } from './build/stale.ts';

type Check = readonly [title: string, command: string, ...args: string[]];

/** Whole projects: a change can break the types of a file that has not changed. */
const TYPES: readonly Check[] = [
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['types of the Worker', 'tsc', '-p', 'worker/tsconfig.json'],
  ['types of the console', 'tsc', '-p', 'console/tsconfig.json'],
];

/** What oxlint reads of what prettier reads. */
const SOURCE = /\.(ts|tsx|mjs|js)$/;

/**
 * Prints the name of each check that passes, and all that one says that fails.
 * @param files that are formatted and linted, relative to the root; undefined: all.
 * @returns whether all passed.
 */
export async function check(files?: readonly string[]): Promise<boolean> {
  const sources = files?.filter((file) => SOURCE.test(file));
  const checks: Check[] = [...TYPES];
  if (files?.length !== 0)
    checks.push([
      'formatting',
      'prettier',
      '--check',
      '--ignore-unknown',
      '--log-level',
      'warn',
      ...(files ?? ['.']),
    ]);
  if (sources?.length !== 0)
    checks.push(['lint', 'oxlint', '--type-aware', '--deny-warnings', ...(sources ?? [])]);
  return (await Promise.all(checks.map(passes))).every((passed) => passed);
}

async function passes([title, command, ...args]: Check): Promise<boolean> {
  const { code, stdout, stderr } = await run(command, args, { cwd: root });
  if (code === 0) console.log(`— ${title}: passed`);
  else console.error(`\n— ${title}: failed (${[command, ...args].join(' ')})\n${stdout}${stderr}`);
  return code === 0;
}
