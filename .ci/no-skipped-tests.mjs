/** Fails where vitest's JSON report (the first argument) holds a test that did not run, and names each. */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const skipped = report.testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => status !== 'passed')
    .map(({ fullName, status }) => `${name}: ${fullName} (${status})`),
);
if (report.numTotalTests === 0) skipped.push('there was no test at all');
for (const line of skipped) console.error(line);
console.log(`${report.numPassedTests} tests passed, ${skipped.length} did not run.`);
process.exit(skipped.length === 0 ? 0 : 1);
