/**
 * Says why tests are skipped. Not by console: vitest shows what a file logs only where one of its tests fails.
 * @returns true
 */
export function skipped(reason: string): true {
  process.stderr.write(`Skipped: ${reason}\n`);
  return true;
}
