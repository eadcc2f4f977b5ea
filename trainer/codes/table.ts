/**
 * The codes of a data set while a run works on them: in memory, or where they are too many in a file that goes away with the
 * program, so that memory stays bounded however many pictures there are.
 */
import { mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { rowsInMemory, type CodeRows } from '../../src/learn/code-rows.ts';
import { FileError } from '../cli/failure.ts';

/** Of codes that are held in memory: 200 MB, or 45,000 pictures of the built-in backbone's. */
export const NUMBERS_IN_MEMORY = 1e8;

let made = 0;

/** Written row by row in any order, then read. */
interface CodeTable {
  readonly set: (row: number, code: Float16Array) => void;
  /** Those that were never set are zeros. */
  readonly rows: CodeRows;
}

/**
 * @param folder where a file is made if one is needed.
 * @param inMemory the most numbers that are held in memory.
 * @throws FileError when the file cannot be made.
 */
export function createTable(
  examples: number,
  codeLength: number,
  folder: string,
  inMemory = NUMBERS_IN_MEMORY,
): CodeTable {
  if (examples * codeLength > inMemory) return tableOnDisk(examples, codeLength, folder);
  const codes = new Float16Array(examples * codeLength);
  const set: CodeTable['set'] = (row, code) => codes.set(code, row * codeLength);
  return { set, rows: rowsInMemory(codes, examples) };
}

function tableOnDisk(examples: number, codeLength: number, folder: string): CodeTable {
  const file = openNameless(folder);
  const rowBytes = 2 * codeLength;
  return {
    set(row, code) {
      writeSync(file, code, 0, rowBytes, row * rowBytes);
    },
    rows: {
      examples,
      codeLength,
      read(begin, out) {
        if (begin + out.length / codeLength > examples) throw new RangeError(`There is no row ${examples}.`);
        // Rows behind the last one that was set are not in the file.
        const count = readSync(file, out, 0, out.byteLength, begin * rowBytes);
        out.fill(0, count / 2);
      },
    },
  };
}

/** A file without a name: it is gone when the program ends, however that comes about. */
function openNameless(folder: string): number {
  const path = join(folder, `codes-${process.pid}-${made++}.f16`);
  try {
    mkdirSync(folder, { recursive: true });
    const file = openSync(path, 'wx+');
    rmSync(path, { force: true });
    return file;
  } catch (error) {
    throw new FileError(`Codes of so many pictures cannot be kept in ${folder}`, error);
  }
}
