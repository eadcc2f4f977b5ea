/** From a picture file to its CNN code. */
import { HeadwaterError } from '../../src/errors.ts';
import type { DecodedImage } from '../../src/image/index.ts';
import { FileError } from '../cli/failure.ts';
import type { Runtime } from '../runtime.ts';
import { readPictureFile } from './picture-file.ts';

interface ExtractedCode {
  /** In single precision, as the Worker scores it. */
  readonly code: Float32Array;
  readonly image: DecodedImage;
}

export interface Job {
  readonly path: string;
  /** What the file held when it was looked at; other contents by now are refused. */
  readonly sha256: string;
}

export type Answer = { readonly code: Float16Array } | { readonly problem: string };

/** @throws HeadwaterError with a code image_…, when the picture cannot be used. */
export async function codeOfPicture(runtime: Runtime, bytes: Uint8Array): Promise<ExtractedCode> {
  const image = await runtime.decoder.decode(bytes, runtime.input);
  return { code: runtime.codeOf(image.pixels), image };
}

/**
 * As codeOfPicture, but a picture that cannot be used is an answer like any other, and the code comes in half
 * precision: examples are stored so everywhere, and training here and at the edge reads the same numbers.
 */
export async function codeOfFile(runtime: Runtime, job: Job): Promise<Answer> {
  try {
    const { bytes, sha256 } = await readPictureFile(job.path);
    if (sha256 !== job.sha256) return { problem: 'The file changed while it was being read; run again.' };
    return { code: Float16Array.from((await codeOfPicture(runtime, bytes)).code) };
  } catch (error) {
    if (error instanceof HeadwaterError || error instanceof FileError) return { problem: error.message };
    throw error;
  }
}
