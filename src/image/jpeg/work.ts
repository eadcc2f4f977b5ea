/**
 * What decoding a JPEG costs at most, by its frame, its scans and the data of each. The time goes into blocks, once and in each
 * scan, and into coefficients: as many as a scan's blocks have, or as its bits may hold with its Huffman tables, whichever is less.
 * Nanoseconds; beside each what was measured in workerd at the worst that was found (bench/hostile/jpeg.ts).
 */
import type { Frame, Scan } from './frame.ts';
import { scaledSide } from './scale.ts';

/** A block's transform, with colour: 50 to 60 in flat ones. Where all coefficients are kept their memory comes to it. */
const BLOCK_NS = 90;
const KEPT_BLOCK_NS = 40;
/** A block's turn in a scan whose coefficients are kept: 76 to 80 in a sequential one, 47 to 55 in a progressive one. */
const SCAN_BLOCK_NS = 95;
const PROGRESSIVE_SCAN_BLOCK_NS = 65;
/** In a scan that adds a bit to what came before, which looks at all coefficients: 150 to 210. */
const REFINED_BLOCK_NS = 210;
/** A coefficient: 4 to 5, progressive 6 to 8, and one that gets another bit 2 to 3. */
const COEFFICIENT_NS = 6;
const PROGRESSIVE_COEFFICIENT_NS = 9;
const CORRECTION_NS = 4;
/** A byte of data: up to 10 where its bits are coefficients' own. */
const BYTE_NS = 11;
/** A byte of Huffman tables. */
const TABLE_BYTE_NS = 15;
/** A restart: 50 to 100. */
const RESTART_NS = 150;
/** A sample at the scale of decoding, which is then resized: 6 to 7. */
const SAMPLE_NS = 8;
/** A row of them, however short: 770 at 224 columns, 990 at 288. */
const ROW_NS = 1_500;

/** Adds up a file's work as it is read. */
export class JpegWork {
  #ns = 0;
  #dataBytes = 0;
  #scan:
    { readonly capacity: number; readonly nsPerCoefficient: number; readonly nsPerBit: number } | undefined;

  /** @param kept whether coefficients are kept from scan to scan. @param leastBits that a coefficient takes. */
  addScan(scan: Scan, progressive: boolean, kept: boolean, leastBits: number): void {
    const { components, first, last, refines } = scan;
    const blocks = components.reduce((sum, component) => sum + component.blocks, 0);
    if (refines) this.#ns += blocks * REFINED_BLOCK_NS;
    else if (progressive) this.#ns += blocks * PROGRESSIVE_SCAN_BLOCK_NS;
    else if (kept) this.#ns += blocks * SCAN_BLOCK_NS;
    const nsPerCoefficient = progressive ? PROGRESSIVE_COEFFICIENT_NS : COEFFICIENT_NS;
    this.#scan = {
      // Levels are within a block's share.
      capacity: blocks * Math.max(0, last - Math.max(first, 1) + 1),
      nsPerCoefficient,
      nsPerBit: Math.max(nsPerCoefficient / leastBits, refines ? CORRECTION_NS : 0),
    };
  }

  addTables(bytes: number): void {
    this.#ns += bytes * TABLE_BYTE_NS;
  }

  /** @param dataBytes of the whole file up to now; what is new belongs to the scan that was added last. */
  addData(dataBytes: number): void {
    const bytes = dataBytes - this.#dataBytes;
    this.#dataBytes = dataBytes;
    this.#ns += bytes * BYTE_NS;
    if (this.#scan === undefined) return;
    const { capacity, nsPerCoefficient, nsPerBit } = this.#scan;
    this.#ns += Math.min(capacity * nsPerCoefficient, 8 * bytes * nsPerBit);
  }

  /** @returns all of it, but for what depends on the scale of decoding. */
  total({ blocks }: Frame, kept: boolean, restarts: number): number {
    return this.#ns + blocks * (BLOCK_NS + (kept ? KEPT_BLOCK_NS : 0)) + restarts * RESTART_NS;
  }
}

/** @returns the work on what comes out of the decoder at n/8 of the size. */
export function scaledWork(
  { width, height, components }: { width: number; height: number; components: number },
  n: number,
): number {
  const rows = scaledSide(height, n);
  return rows * (scaledSide(width, n) * components * SAMPLE_NS + ROW_NS);
}
