/**
 * `npm run fuzz [-- --minutes 10] [-- --seed N] [-- --part parsers] [-- --case K]`: bodies that are nearly right, each of
 * which must be read or refused in order: pictures and head files by the parsers in this process, and all that takes a body by
 * the real Worker (test/fuzz/). Without a seed a new one is drawn. For a case
 * that fails it prints the command that repeats it, and keeps the case as a file. Exits 1 where there was one.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parserPart } from './fuzz/parsers.ts';
import type { Fault, FuzzPart } from './fuzz/part.ts';
import { servicePart } from './fuzz/service.ts';

const PROGRESS_MS = 15_000;
/** Faults of one part after which it is given up. */
const MOST_FAULTS = 20;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    part: { type: 'string' },
    case: { type: 'string' },
  },
});

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const PARTS: Readonly<Record<string, () => Promise<FuzzPart>>> = {
  parsers: () => parserPart(seed, true),
  service: () => servicePart(seed),
};

/** Words of a fault without its numbers: the same fault is told once. */
const kindOf = ({ what }: Fault): string => what.replaceAll(/\d+/g, 'N').slice(0, 200);

function tell(part: FuzzPart, number: number, { what, body }: Fault): void {
  const file = join(tmpdir(), `headwater-fuzz-${part.name}-${seed}-${number}`);
  writeFileSync(file, body);
  console.error(
    `FAULT: npm run fuzz -- --part ${part.name} --seed ${seed} --case ${number}\n  ${what}\n  ${file}`,
  );
}

/** @returns how many kinds of faults there are. */
async function fuzz(part: FuzzPart, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  const known = new Set<string>();
  let [saidAt, number] = [performance.now(), 0];
  for (; performance.now() < end && known.size < MOST_FAULTS; number++) {
    const fault = await part.run(number);
    if (fault !== undefined && !known.has(kindOf(fault))) {
      known.add(kindOf(fault));
      tell(part, number, fault);
    }
    if (performance.now() > saidAt + PROGRESS_MS) {
      saidAt = performance.now();
      console.log(`${part.name}: ${number + 1} cases, ${known.size} kinds of faults`);
    }
  }
  console.log(`${part.name}: seed ${seed}, ${number} cases, ${known.size} kinds of faults.`);
  return known.size;
}

async function repeat(part: FuzzPart, number: number): Promise<number> {
  const fault = await part.run(number);
  if (fault === undefined) console.log(`Case ${number} holds.`);
  else tell(part, number, fault);
  return fault === undefined ? 0 : 1;
}

const names = values.part === undefined ? Object.keys(PARTS) : [values.part];
console.log(`Seed ${seed}.`);
let faults = 0;
for (const name of names) {
  const make = PARTS[name];
  if (make === undefined)
    throw new Error(`There is no part '${name}'; there are ${Object.keys(PARTS).join(', ')}.`);
  const part = await make();
  try {
    faults +=
      values.case === undefined
        ? await fuzz(part, (Number(values.minutes) * 60_000) / names.length)
        : await repeat(part, Number(values.case));
  } finally {
    await part.close();
  }
}
process.exit(faults === 0 ? 0 : 1);
