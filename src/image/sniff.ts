/** Tells what a file is from its first bytes; names and content types lie. */
import { HeadwaterError } from '../errors.ts';

export type ImageFormat = 'jpeg' | 'png' | 'webp';

/** How many bytes from the start are looked at when searching for the root element of an SVG. */
const SVG_SEARCH_BYTES = 1_024;

const FOREIGN: readonly (readonly [name: string, at: number, magic: string])[] = [
  ['a GIF', 0, 'GIF8'],
  ['a BMP', 0, 'BM'],
  ['a TIFF', 0, 'II*\0'],
  ['a TIFF', 0, 'MM\0*'],
  ['an AVIF', 4, 'ftypavi'],
  ['a HEIC', 4, 'ftyphe'],
  ['a HEIC', 4, 'ftypmif1'],
  ['a HEIC', 4, 'ftypmsf1'],
  ['a JPEG XL', 0, '\xff\x0a'],
  ['a JPEG XL', 4, 'JXL '],
  ['a JPEG 2000', 4, 'jP  '],
  ['an icon', 0, '\0\0\x01\0'],
  ['a Photoshop document', 0, '8BPS'],
  ['a PDF', 0, '%PDF-'],
  ['a video', 4, 'ftyp'],
  ['a ZIP archive', 0, 'PK\x03\x04'],
  ['JSON', 0, '{"'],
];

/**
 * @returns the format of a supported picture.
 * @throws image_empty for no bytes at all, image_format_unknown for anything else; its message names what the file is where known.
 */
export function sniff(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0)
    throw new HeadwaterError(
      'image_empty',
      'The picture is empty: 0 bytes were received. Send a JPEG, PNG or WebP file.',
    );
  if (startsWith(bytes, 0, '\xff\xd8\xff')) return 'jpeg';
  if (startsWith(bytes, 0, '\x89PNG\r\n\x1a\n')) return 'png';
  if (startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WEBP')) return 'webp';
  const known = FOREIGN.find(([, at, magic]) => startsWith(bytes, at, magic))?.[0] ?? nameText(bytes);
  const found = known === undefined ? 'This is not a picture in a known format' : `This is ${known} file`;
  throw new HeadwaterError(
    'image_format_unknown',
    `${found}; supported are JPEG, PNG and WebP. Convert it to one of them.`,
  );
}

/** @returns whether the Latin-1 characters of `magic` stand at `at`. */
export function startsWith(bytes: Uint8Array, at: number, magic: string): boolean {
  if (bytes.length < at + magic.length) return false;
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

function nameText(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, SVG_SEARCH_BYTES)).toLowerCase();
  if (head.includes('<svg')) return 'an SVG';
  if (head.includes('<!doctype html') || head.includes('<html')) return 'an HTML';
  return undefined;
}
