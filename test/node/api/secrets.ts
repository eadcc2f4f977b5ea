/** What no line of the log and no error may show, and the search for it. */

/** A tenant that the others must never hear of. */
export const OTHER = {
  tenant: 'Quixotic Bicycles',
  head: 'zanzibar',
  labels: ['heliotrope', 'chartreuse'],
} as const;

export class Secrets {
  readonly #anywhere = new Set<string>([OTHER.tenant, OTHER.head, ...OTHER.labels]);
  readonly #inLogs = new Set<string>();
  readonly #found: string[] = [];

  /** Keys and the like. */
  add(...secrets: string[]): void {
    for (const secret of secrets) this.#anywhere.add(secret);
  }

  /** The tenant's own words, which its errors may say. */
  addWords(...words: string[]): void {
    for (const word of words) this.#inLogs.add(word);
  }

  /** A stretch of its bytes in each form that bytes take on in JSON. */
  addPicture(bytes: Uint8Array): void {
    // Beyond the header, which is in all pictures of a format; at a multiple of 3, so that base64 has it whole.
    const stretch = Buffer.from(bytes.subarray(60, 84));
    if (stretch.length < 24) return;
    for (const form of [stretch.toString('base64'), stretch.toString('hex'), stretch.toString('latin1')])
      this.#anywhere.add(form);
    this.#anywhere.add([...stretch].join(','));
  }

  readLog(line: string): void {
    this.#search(line, [...this.#anywhere, ...this.#inLogs], 'the log');
  }

  /** @param where the request was sent. */
  readError(text: string, where: string): void {
    this.#search(text, this.#anywhere, where);
  }

  /** What was found, and where. */
  get found(): readonly string[] {
    return this.#found;
  }

  #search(text: string, secrets: Iterable<string>, where: string): void {
    for (const secret of secrets)
      if (text.includes(secret)) this.#found.push(`'${secret}' in ${where}: ${text.slice(0, 300)}`);
  }
}
