/**
 * The codes of a data set, row by row: in memory, or in a file where they are too many. Training that reads them in parts
 * takes sets of any size.
 */

export interface CodeRows {
  /** n */
  readonly examples: number;
  /** D */
  readonly codeLength: number;
  /** All of them, n × D, where they are in memory anyway. */
  readonly codes?: Float16Array;
  /** Writes rows [begin, begin + out.length / D) to `out`. @throws RangeError beyond the last row. */
  read(begin: number, out: Float16Array): void;
}

/** Rows of an array in memory, n × D. */
export function rowsInMemory(codes: Float16Array, examples: number): CodeRows {
  const codeLength = examples === 0 ? 0 : codes.length / examples;
  return {
    codes,
    examples,
    codeLength,
    read(begin, out) {
      out.set(codes.subarray(begin * codeLength, begin * codeLength + out.length));
    },
  };
}

/** Some of the rows, in this order. */
export function selectRows(rows: CodeRows, places: ArrayLike<number>): CodeRows {
  const { codeLength } = rows;
  return {
    examples: places.length,
    codeLength,
    read(begin, out) {
      for (let r = 0; r * codeLength < out.length; r++) {
        rows.read(places[begin + r], out.subarray(r * codeLength, (r + 1) * codeLength));
      }
    },
  };
}

/** n × D, brought into memory where they are not there yet. */
export function allRows(rows: CodeRows): Float16Array {
  if (rows.codes !== undefined) return rows.codes;
  const codes = new Float16Array(rows.examples * rows.codeLength);
  rows.read(0, codes);
  return codes;
}

/** All rows, in parts of at most `most`. Each part overwrites `out`. */
export function* stretches(
  rows: CodeRows,
  most: number,
): Generator<{ readonly begin: number; readonly count: number; readonly out: Float16Array }> {
  const { examples, codeLength } = rows;
  const memory = new Float16Array(Math.min(most, examples) * codeLength);
  for (let begin = 0; begin < examples; begin += most) {
    const count = Math.min(most, examples - begin);
    const out = memory.subarray(0, count * codeLength);
    rows.read(begin, out);
    yield { begin, count, out };
  }
}
