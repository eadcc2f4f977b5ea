/** `npm test`: formatting, lint, types, then every test. Arguments go to vitest. */
import { runChild } from './child.mjs';

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
  const code = await runChild(command, args, { stdio: 'inherit' }).catch((error: unknown) => {
    console.error(String(error));
    return 1;
  });
  if (code !== 0) {
    console.error(`\nFailed: ${title} (${[command, ...args].join(' ')})`);
    process.exit(code);
  }
}
