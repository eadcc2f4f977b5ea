/** Text as it came: bytes that are no UTF-8 are refused, not replaced by U+FFFD, which would make others' names equal. */

/** @returns undefined for bytes that are not UTF-8. A byte order mark at the beginning is left out. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}
