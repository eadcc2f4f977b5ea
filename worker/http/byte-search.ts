/**
 * Finds a text in bytes in a time that grows with the bytes alone: Boyer-Moore-Horspool, which looks at one byte in
 * `length` of a usual body. Where its window's last byte fits, it compares from the front.
 */
export class ByteSearch {
  readonly #needle: Uint8Array;
  /** By the window's last byte: how far the window may move. */
  readonly #steps: Uint8Array;

  /**
   * @param needle ASCII, at most 255 characters. The bound holds where its first character does not come again in it:
   * stretches that fit its beginning then never overlap.
   */
  constructor(needle: string) {
    this.#needle = new TextEncoder().encode(needle);
    const last = this.#needle.length - 1;
    this.#steps = new Uint8Array(256).fill(last + 1);
    for (let i = 0; i < last; i++) this.#steps[this.#needle[i]] = last - i;
  }

  get length(): number {
    return this.#needle.length;
  }

  /** Position of the first occurrence at or after `from`, or −1. */
  find(bytes: Uint8Array, from: number): number {
    const needle = this.#needle;
    const steps = this.#steps;
    const last = needle.length - 1;
    for (let at = from; at + last < bytes.length; at += steps[bytes[at + last]]) {
      let i = 0;
      while (i <= last && bytes[at + i] === needle[i]) i++;
      if (i > last) return at;
    }
    return -1;
  }
}
