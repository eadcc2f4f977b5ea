/** The Huffman tables of a JPEG (T.81, B.2.4.2), as far as they tell how many coefficients so many bits may hold. */

const AC_TABLES = 4;
const LONGEST_CODE = 16;
/** In the standard tables (K.5), which apply where a file has none, ±1 has a code of two bits and one bit of its own. */
const STANDARD_BITS = 3;

export class HuffmanBits {
  readonly #least: number[] = Array<number>(AC_TABLES).fill(STANDARD_BITS);

  /** @param payload of a DHT segment. What is wrong with it the decoder will say. */
  define(payload: Uint8Array): void {
    for (let at = 0; at + LONGEST_CODE < payload.length;) {
      const id = payload[at];
      let next = at + LONGEST_CODE + 1;
      let least = Infinity;
      for (let bits = 1; bits <= LONGEST_CODE; bits++) {
        for (let i = payload[at + bits]; i > 0; i--) least = Math.min(least, bits + ownBits(payload[next++]));
      }
      if (id >> 4 === 1 && (id & 15) < AC_TABLES) this.#least[id & 15] = least;
      at = next;
    }
  }

  /** @returns bits of the shortest code with its coefficient. @param tables of a scan's components. */
  leastOf(tables: readonly number[]): number {
    return Math.min(...tables.map((table) => this.#least[table] ?? 1));
  }
}

/** Bits that follow a code: the coefficient's. The end of one or more blocks is none, sixteen zeros count as one. */
function ownBits(symbol: number | undefined): number {
  if (symbol === undefined || (symbol & 15) > 0) return (symbol ?? 0) & 15;
  return symbol === 0xf0 ? 0 : Infinity;
}
