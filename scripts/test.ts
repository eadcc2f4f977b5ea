/** `npm test`: formatting, lint and types, then every test. Arguments go to vitest. */
import { check } from './checks.ts';
import { runChild } from './child.mjs';

process.exitCode = (await check())
  ? await runChild('vitest', ['run', ...process.argv.slice(2)], { stdio: 'inherit' })
  : 1;
