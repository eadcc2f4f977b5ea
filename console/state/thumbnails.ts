/**
 * Pictures that this tab has sent, by the hash that the Worker knows them by: it keeps no pixels, so that a picture to be
 * shown again has to be remembered here. Gone with the tab.
 */
import { pictureHash } from '../pictures/hash.ts';

/** The newest are kept; at about 50 kB each. */
const MAX_REMEMBERED = 400;
const urls = new Map<string, string>();

export async function remember(blob: Blob): Promise<void> {
  const hash = await pictureHash(blob);
  if (hash === undefined) return;
  if (!urls.has(hash)) urls.set(hash, URL.createObjectURL(blob));
  for (const [oldest, url] of urls) {
    if (urls.size <= MAX_REMEMBERED) return;
    URL.revokeObjectURL(url);
    urls.delete(oldest);
  }
}

/** @returns an object URL; undefined for pictures that this tab has not sent. */
export function remembered(sha256: string | undefined): string | undefined {
  return sha256 === undefined ? undefined : urls.get(sha256);
}
