/** Reads the one EXIF tag that matters here, orientation, from a TIFF block. Anything odd means that it has none. */

/** EXIF orientation: 1 upright, 2 mirrored, 3 upside down, 4 flipped, 5–8 the same turned by a quarter. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const TAG_ORIENTATION = 0x0112;
const TYPE_SHORT = 3;
const ENTRY_BYTES = 12;
/** Cameras write some dozens of entries; a block that claims more is not worth searching. */
const MAX_ENTRIES = 512;

/**
 * @param tiff a TIFF block ("II*\0" or "MM\0*"), with or without the "Exif\0\0" prefix that JPEG (and some WebP files) put before it.
 * @returns the orientation of its first directory (CIPA DC-008, TIFF 6.0), undefined where it is missing or not 1 to 8, or where the block is damaged before it.
 */
export function readOrientation(tiff: Uint8Array): Orientation | undefined {
  const block = hasExifPrefix(tiff) ? tiff.subarray(6) : tiff;
  if (block.length < 8) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return undefined;
  const directory = view.getUint32(4, little);
  if (directory + 2 > block.length) return undefined;
  const entries = Math.min(view.getUint16(directory, little), MAX_ENTRIES);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > block.length) return undefined;
    if (view.getUint16(at, little) !== TAG_ORIENTATION) continue;
    if (view.getUint16(at + 2, little) !== TYPE_SHORT) continue;
    const value = view.getUint16(at + 8, little);
    if (isOrientation(value)) return value;
  }
  return undefined;
}

function isOrientation(value: number): value is Orientation {
  return value >= 1 && value <= 8;
}

/** @returns whether a JPEG APP1 payload (or WebP EXIF chunk) starts with "Exif\0\0". */
export function hasExifPrefix(b: Uint8Array): boolean {
  return (
    b.length >= 6 &&
    b[0] === 0x45 &&
    b[1] === 0x78 &&
    b[2] === 0x69 &&
    b[3] === 0x66 &&
    b[4] === 0 &&
    b[5] === 0
  );
}
