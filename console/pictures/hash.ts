/** The name that the Worker knows a picture by: the SHA-256 of its bytes, in hex. */

/** @returns undefined where the browser can't say, on pages that did not come over https. */
export async function pictureHash(blob: Blob): Promise<string | undefined> {
  if (!('subtle' in crypto)) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
