/** Backups that are nearly right: rows moved, repeated, left out, changed. */
import { z } from 'zod';
import { changeBytes, changeList, changed, type Bytes } from './bytes.ts';
import { changeSomewhere, fuzzedJson, written } from './json.ts';
import type { Random } from './random.ts';

const CHANGES = 3;
const MOST_ROWS = 50;

/** @param backup lines of JSON. */
export function fuzzedBackup(random: Random, backup: Uint8Array): Bytes {
  const lines = new TextDecoder().decode(backup).trimEnd().split('\n');
  const rows = changed(random, lines, CHANGES, (each) =>
    changeList(random, each, {
      change: (line) => changeRow(random, line),
      make: () => random.pick(['', '{}', '[]', '{"row":"end"}', 'null', '{"row":"head"}']),
      most: MOST_ROWS,
      bytesOf: (line) => line.length,
    }),
  );
  const bytes = new TextEncoder().encode(rows.join(random.oneIn(10) ? '\r\n' : '\n'));
  return random.oneIn(10) ? changeBytes(random, bytes) : bytes;
}

/** Most rows stay JSON, with one thing in them changed. */
function changeRow(random: Random, line: string): string {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return line;
  }
  const value = z.json().parse(row);
  return random.oneIn(4) ? fuzzedJson(random, value) : written(changeSomewhere(random, value));
}
