/** Writes the pictures of a batch to R2 before its examples are stored, where the tenant keeps them. */
import type { ImageInfo } from '../../src/api/index.ts';
import type { Env } from '../env.ts';
import { callTenant } from '../tenant/call.ts';
import type { KeptPicture } from '../tenant/teach/kept-pictures.ts';
import { imageObjectName } from '../stores/layout.ts';
import { fromR2 } from '../stores/reads.ts';

export interface ShownPicture {
  /** As it came. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly format: ImageInfo['format'];
}

/** @returns what was written, in the order of the pictures, or null where nothing is kept. */
export type Keep = (pictures: readonly ShownPicture[]) => Promise<readonly KeptPicture[] | null>;

/** Objects that are written at the same time; a Worker may have six connections open. */
const AT_ONCE = 6;

/** @throws ApiError limit_reached */
export const keeper =
  (env: Env, tenant: string, head: string): Keep =>
  async (pictures) => {
    const sizes = pictures.map(({ bytes }) => bytes.byteLength);
    const { images } = await callTenant(env, tenant, (stub) => stub.examples.expectPictures(head, sizes));
    if (images === null) return null;
    for (let from = 0; from < pictures.length; from += AT_ONCE) {
      await Promise.all(
        pictures.slice(from, from + AT_ONCE).map(({ bytes, sha256, format }, i) =>
          fromR2(() =>
            env.HEADS.put(imageObjectName(tenant, head, images[from + i]), bytes, {
              sha256,
              httpMetadata: { contentType: `image/${format}` },
            }),
          ),
        ),
      );
    }
    return images.map((image, i) => ({ image, bytes: sizes[i] }));
  };
