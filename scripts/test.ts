/** `npm test`: formatting, lint, types, then every test. Arguments go to vitest. */
import { spawnSync } from 'node:child_process';

const steps: readonly (readonly [title: string, command: string, ...args: string[]])[] = [
  ['formatting', 'prettier', '--check', '.', '--log-level', 'warn'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['types of the Worker', 'tsc', '-p', 'worker/tsconfig.json'],
  ['types of the console', 'tsc', '-p', 'console/tsconfig.json'],
  ['tests', 'vitest', 'run', ...process.argv.slice(2)],
];

for (const [title, command, ...args] of steps) {
  console.log(`\n— ${title}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) {
    console.error(`\nFailed: ${title} (${[command, ...args].join(' ')})`);
    process.exit(status ?? 1);
  }
}
