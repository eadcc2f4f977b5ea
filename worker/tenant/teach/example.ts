/** Examples on their way into the tenant's tables and out of them. */
import type { BackupExample, ExampleSource } from '../../../src/api/index.ts';
import type { KeptPicture } from './kept-pictures.ts';

/** One example on its way to the tenant's store. */
export interface NewExample {
  readonly label: string;
  /** SHA-256 of the picture, or of the code's bytes where there is no picture. */
  readonly picture: string;
  readonly source: ExampleSource;
  /** Half precision, little-endian. */
  readonly code: Uint8Array;
  /** The same in the code space that the head is being moved to, where it is. */
  readonly second?: Uint8Array;
  /** The picture itself, where it is kept. */
  readonly kept?: KeptPicture;
}

/** One on its way to or from a backup. */
export type ExampleRecord = Omit<BackupExample, 'row' | 'code'> & { readonly code: Uint8Array };
