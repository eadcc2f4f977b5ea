/** The coded picture inside a WebP file. */

export interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

export interface Bitstream {
  readonly width: number;
  readonly height: number;
  readonly lossless: boolean;
  readonly chunk: Chunk;
  readonly alpha: Chunk | undefined;
}
