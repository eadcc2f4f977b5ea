/**
 * `npm run mutants -- --seed 1 --count 60`: makes small faults (mutants) in code where a lost row or a wrong pixel does most harm, runs
 * the tests that reach each, and prints those that no test notices. Mutation testing in the manner of Stryker, which cannot
 * drive tests inside workerd. A fault that survives shows a missing test, or changes nothing that anybody can see.
 */
import { globSync } from 'node:fs';
import { matchesGlob, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/build/stale.ts';
import { coverage, type TestFile } from './coverage.ts';
import { mutantsOf, type Mutant } from './operators.ts';
import { Workplace } from './workplace.ts';

/** Parts of the code, each with the tests that are responsible for it. */
const ROOMS: readonly { readonly sources: string; readonly tests: readonly string[] }[] = [
  { sources: 'worker/tenant/*.ts', tests: ['test/worker/*.test.ts'] },
  { sources: 'worker/stores/*.ts', tests: ['test/worker/*.test.ts'] },
  { sources: 'src/image/**/!(*.as).ts', tests: ['test/node/image/*.test.ts', 'test/worker/image.test.ts'] },
];

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '60' },
    room: { type: 'string' },
  },
});

/** mulberry32: a seed gives the same draw everywhere. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** For a file's tests to begin, on a busy machine. */
const START_TIMEOUT_MS = 60_000;

/** The tests that are responsible for a file. */
const testsOf = (rooms: typeof ROOMS, file: string): Set<string> =>
  new Set(rooms.flatMap(({ sources, tests }) => (matchesGlob(file, sources) ? tests.flatMap(filesOf) : [])));

const filesOf = (pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .map((file) => relative('.', file))
    .sort();

/** Draws without replacement. */
function draw(mutants: Mutant[], count: number, seed: number): Mutant[] {
  const random = randomNumbers(seed);
  const pool = [...mutants];
  return Array.from({ length: Math.min(count, pool.length) }, () => {
    return pool.splice(Math.floor(random() * pool.length), 1)[0];
  });
}

const short = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 70);

function describeMutant(source: string, { file, start, end, replacement, operator }: Mutant): string {
  const line = source.slice(0, start).split('\n').length;
  return `${file}:${line} ${operator}: ${short(source.slice(start, end))} → ${short(replacement)}`;
}

/** Tries one mutant after the other. @returns a line for each that no test noticed. */
async function tryAll(
  workplace: Workplace,
): Promise<{ readonly tried: number; readonly survivors: string[] }> {
  const rooms = ROOMS.filter(({ sources }) => values.room === undefined || sources.startsWith(values.room));
  const sources = new Map(
    rooms.flatMap((room) => filesOf(room.sources)).map((file) => [file, workplace.read(file)]),
  );
  const all = [...sources].flatMap(([file, text]) => mutantsOf(file, text));
  const drawn = draw(all, Number(values.count), Number(values.seed));
  console.log(`Seed ${values.seed}: ${drawn.length} of ${all.length} mutants`);
  const testFiles = [...new Set(rooms.flatMap(({ tests }) => tests.flatMap(filesOf)))];
  const inQuestion = new Set(drawn.map(({ file }) => file));
  const testsReaching = await coverage(
    workplace,
    all.filter(({ file }) => inQuestion.has(file)),
    testFiles,
  );
  const survivors: string[] = [];
  for (const [i, mutant] of drawn.entries()) {
    const text = sources.get(mutant.file)!;
    const responsible = testsOf(rooms, mutant.file);
    const tests = testsReaching(mutant).filter(({ path }) => responsible.has(path));
    workplace.write(mutant.file, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end));
    const startedAt = Date.now();
    const by = await noticed(workplace, tests);
    workplace.write(mutant.file, text);
    const line = describeMutant(text, mutant);
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    const how = by === undefined ? `${tests.length} test files reach it` : by;
    console.log(
      `${by === undefined ? 'SURVIVED' : 'noticed'} ${i + 1}/${drawn.length} ${line} (${how}; ${seconds} s)`,
    );
    if (by === undefined) survivors.push(line);
  }
  return { tried: drawn.length, survivors };
}

/**
 * The likeliest tests first; most mutants are noticed there. One that makes them take far longer is noticed as well.
 * @returns what noticed it.
 */
async function noticed(workplace: Workplace, tests: readonly TestFile[]): Promise<string | undefined> {
  for (const group of [tests.slice(0, 4), tests.slice(4)]) {
    if (group.length === 0) continue;
    const timeoutMs = group.reduce((sum, { ms }) => sum + 4 * ms, group.length * START_TIMEOUT_MS);
    const paths = group.map(({ path }) => path);
    const { passed, timedOut, output } = await workplace.test([...paths, '--bail', '1'], timeoutMs);
    if (!passed) return timedOut ? 'by the clock' : `by ${/ FAIL .*?(test\/.*)/.exec(output)?.[1]}`;
  }
  return undefined;
}

const workplace = new Workplace();
try {
  const { tried, survivors } = await tryAll(workplace);
  const noticed = tried - survivors.length;
  const share = ((100 * noticed) / tried).toFixed(1);
  console.log(`\nNoticed: ${noticed} of ${tried} (${share} %), seed ${values.seed}`);
  for (const line of survivors) console.log(`survived: ${line}`);
} finally {
  workplace.remove();
}
