/** Which test files reach which functions, so that a mutant is tried on those alone. */
import type { Mutant } from './operators.ts';
import type { Workplace } from './workplace.ts';

const MARK = 'REACHED';
/** After all tests of a file: how long they took, its path, and the numbers of the functions that were called. */
const SETUP = `import { afterAll, expect } from 'vitest';
const startedAt = Date.now();
afterAll(() => console.log(
  [${JSON.stringify(MARK)}, Date.now() - startedAt, expect.getState().testPath, ...(globalThis.__reached ?? []), '.'].join(' ')));
`;
const LINE = new RegExp(`${MARK} (\\d+) \\S*/(test/\\S+)([\\d ]*) \\.`, 'g');
/** All test files of the rooms, on a busy machine. */
const ALL_TESTS_TIMEOUT_MS = 30 * 60_000;
const SETUP_FILE = 'test/mutants/reached.ts';

export interface TestFile {
  readonly path: string;
  readonly ms: number;
}

const placeOf = ({ file, body }: Mutant): string => `${file}:${body}`;

/**
 * Runs all test files once, with every function noting its call.
 * @param mutants all those of the files in question.
 * @returns for a mutant the test files that call its function, or all where it is in none: first those that call much of its file
 *   in little time.
 */
export async function coverage(
  workplace: Workplace,
  mutants: readonly Mutant[],
  testFiles: readonly string[],
): Promise<(mutant: Mutant) => TestFile[]> {
  const places = [...new Set(mutants.filter(({ body }) => body !== undefined).map(placeOf))];
  const originals = instrument(workplace, mutants, places);
  const config = workplace.read('vitest.config.ts');
  workplace.write(SETUP_FILE, SETUP);
  workplace.write('vitest.config.ts', withSetup(config));
  const { passed, timedOut, output } = await workplace.test(
    [...testFiles, '--silent=false'],
    ALL_TESTS_TIMEOUT_MS,
  );
  if (!passed) {
    const how = timedOut ? 'take too long' : 'fail';
    throw new Error(`The tests ${how} without any mutant:\n${output.slice(-4_000)}`);
  }
  const ran = Array.from(output.matchAll(LINE), ([, ms, path, numbers]) => {
    const reached = new Set((numbers.match(/\d+/g) ?? []).map((number) => places[Number(number)]));
    return { path, ms: Number(ms), reached };
  });
  if (ran.every(({ reached }) => reached.size === 0)) throw new Error('No test file said what it reached');
  for (const [file, text] of originals) workplace.write(file, text);
  workplace.write('vitest.config.ts', config);
  return (mutant) => {
    const ofFile = (place: string): boolean => place.startsWith(`${mutant.file}:`);
    return ran
      .filter(({ reached }) => mutant.body === undefined || reached.has(placeOf(mutant)))
      .map((file) => ({ ...file, cost: file.ms / (1 + [...file.reached].filter(ofFile).length) }))
      .sort((a, b) => a.cost - b.cost);
  };
}

function withSetup(config: string): string {
  const added = config
    .replace("setupFiles: ['test/worker/setup.ts']", `setupFiles: ['test/worker/setup.ts', '${SETUP_FILE}']`)
    .replace("include: ['test/node/**/*.test.ts'],", (line) => `${line} setupFiles: ['${SETUP_FILE}'],`);
  if (added.split(SETUP_FILE).length !== 3)
    throw new Error('vitest.config.ts has another form than expected');
  return added;
}

/** @returns the files as they were. */
function instrument(
  workplace: Workplace,
  mutants: readonly Mutant[],
  places: readonly string[],
): Map<string, string> {
  const originals = new Map<string, string>();
  for (const file of new Set(mutants.map((mutant) => mutant.file))) {
    const text = workplace.read(file);
    originals.set(file, text);
    const bodies = new Set(mutants.filter((mutant) => mutant.file === file).map(({ body }) => body));
    let instrumented = text;
    for (const body of [...bodies].filter((at) => at !== undefined).sort((a, b) => b - a)) {
      const call = ` (globalThis.__reached ??= new Set()).add(${places.indexOf(`${file}:${body}`)});`;
      instrumented = instrumented.slice(0, body) + call + instrumented.slice(body);
    }
    workplace.write(file, instrumented);
  }
  return originals;
}
