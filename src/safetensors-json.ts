/**
 * Parses the JSON header of a safetensors file. JSON.parse silently keeps the last of two equal keys, so that two
 * readers could read two different files from the same bytes; this refuses them.
 */
import { HeadwaterError } from './errors.ts';
import { illFormedText } from './json-text.ts';

/** A header nests an object in an object in an array; anything deeper is not one. */
const MAX_DEPTH = 4;

/**
 * @param bytes UTF-8 JSON, an object, padded with spaces at its end.
 * @param most objects, lists and keys, which take many times their text in memory.
 * @returns the object's entries; a map, so that a tensor may bear any name.
 * @throws HeadwaterError `file_corrupt` when it is no such JSON, holds a key twice, nests too deep or has too many parts.
 */
export function parseJsonHeader(bytes: Uint8Array, most: number): Map<string, unknown> {
  if (bytes[0] !== 0x7b) throw corrupt('it does not begin with {');
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw corrupt('it is not UTF-8', cause);
  }
  checkStructure(text, most);
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt('it is not JSON', cause);
  }
  if (illFormedText(text, value) !== undefined) throw corrupt('it holds half of a surrogate pair');
  if (typeof value !== 'object' || value === null) throw corrupt('it is no object');
  return new Map<string, unknown>(Object.entries(value));
}

function corrupt(what: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError('file_corrupt', `The safetensors file's header is not valid: ${what}.`, {
    cause,
  });
}

/**
 * Walks the text once, strings and brackets only; whatever else is wrong with it JSON.parse will find. A hand-written
 * scan, because a regular expression backtracks over an unterminated string in quadratic time.
 */
function checkStructure(text: string, most: number): void {
  const open: (Set<string> | undefined)[] = [];
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      parts++;
      if (open.length > MAX_DEPTH) throw corrupt(`it nests deeper than ${MAX_DEPTH}`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (isKey(text, end)) {
        parts++;
        addKey(open.at(-1), text.slice(at, end));
      }
      at = end - 1;
    }
    if (parts > most) throw corrupt(`it holds more than ${most} objects, lists and keys`);
  }
}

/** The index after the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  throw corrupt('a string in it does not end');
}

function isKey(text: string, after: number): boolean {
  let at = after;
  while (at < text.length && ' \t\n\r'.includes(text[at])) at++;
  return text[at] === ':';
}

function addKey(keys: Set<string> | undefined, quoted: string): void {
  let key: unknown;
  try {
    key = JSON.parse(quoted);
  } catch (cause) {
    throw corrupt('it is not JSON', cause);
  }
  if (typeof key !== 'string' || keys === undefined) return;
  if (keys.has(key)) throw corrupt(`it holds the key ${JSON.stringify(key.slice(0, 100))} twice`);
  keys.add(key);
}
