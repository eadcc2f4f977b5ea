/** Fails where vitest's JSON report (the first argument) holds a test that did not run, and names each. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Test = z.object({ fullName: z.string(), status: z.string() });
const Report = z.object({
  testResults: z.array(z.object({ name: z.string(), assertionResults: z.array(Test) })).min(1),
});

const { testResults } = Report.parse(JSON.parse(readFileSync(process.argv[2], 'utf8')));
const tests = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map(({ fullName, status }) => ({ status, line: `${name}: ${fullName} (${status})` })),
);
const others = tests.filter(({ status }) => status !== 'passed');
for (const { line } of others) console.error(line);
console.log(`${tests.length - others.length} tests passed, ${others.length} did not.`);
if (others.length > 0) process.exitCode = 1;
