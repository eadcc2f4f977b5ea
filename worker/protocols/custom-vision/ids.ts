/**
 * Custom Vision names everything by UUID, we by words and numbers. Projects and tags get random ones, which are written
 * down; those of images and iterations are computed from what they stand for, and need no store.
 */

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VERSION_DIGITS = 12;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** An image is its SHA-256, shortened. @param sha256 lower-case hex. */
export function imageId(sha256: string): string {
  return dashed(sha256.slice(0, 32));
}

/** The first half of the image's SHA-256. */
export function hashPrefix(imageId: string): string {
  return imageId.replaceAll('-', '').toLowerCase();
}

/** An iteration is a version of the project's head: its number stands at the end. */
export function iterationId(projectId: string, version: number): string {
  const number = version.toString(16).padStart(VERSION_DIGITS, '0');
  return dashed(projectId.replaceAll('-', '').slice(0, -VERSION_DIGITS) + number);
}

/** @returns undefined for an id that is of no iteration of the project. */
export function versionOf(projectId: string, id: string): number | undefined {
  if (!isUuid(id)) return undefined;
  const version = Number.parseInt(id.slice(-VERSION_DIGITS), 16);
  return iterationId(projectId, version) === id.toLowerCase() && version > 0 ? version : undefined;
}

function dashed(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
