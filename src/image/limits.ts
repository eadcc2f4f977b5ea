/**
 * Every bound on pictures, in one place. All are checked against the file's header, before a decoder sees a byte:
 * a Worker isolate has 128 MB for everything it does, and a few hundred bytes can claim a billion pixels.
 */

/** Longest picture file, bytes. A 12-megapixel photo is 3–6 MB as JPEG and about 15 MB as PNG. */
export const MAX_FILE_BYTES = 20_000_000;

/** Longest side, pixels. Panoramas reach 16,000 or so; beyond this even a single row is a burden. */
export const MAX_SIDE = 32_767;

/**
 * Most pixels, whatever the format. Only baseline JPEG, which is scaled down while it is decoded, ever gets here
 * (phones make 200-megapixel photos); it bounds time rather than memory.
 */
export const MAX_PIXELS = 204_000_000;

/**
 * Most bytes of WASM memory that decoding one picture may need, estimated from its header, and that a decoder gets. In practice: progressive JPEG 20
 * megapixels (4:2:0) or 10 (4:4:4); large WebPs take too long before. Baseline JPEG and PNG need little memory at any size.
 */
export const MAX_WORKING_BYTES = 64 * 1024 * 1024;

/** Most pixels of a PNG. Bounds time: 18 to 110 ns a pixel (png/work.ts), with pauses. */
export const MAX_PNG_PIXELS = 50_000_000;

/** Most chunks of a PNG, of all kinds; writers cut IDAT into pieces of 8 kB or more, so a file at the size cap has 2,500. */
export const MAX_PNG_CHUNKS = 65_536;

/** Most chunks of a WebP that are looked at for its picture; real files have four or five before it. */
export const MAX_WEBP_CHUNKS = 1_024;

/** Most blocks of an interlaced PNG's compressed data, beside its other work, at 4 µs each; encoders write one for 10 kB or more. */
export const MAX_INTERLACED_PNG_BLOCKS = 16_384;

/**
 * Most work of a decoder that is one call, estimated from the header for the worst case: other requests wait meanwhile. In
 * practice: baseline JPEG of 12 megapixels up to 14 MB, of 24 up to 11 MB, of 50 up to 9 MB; progressive JPEG of 12 up to 4.5 MB;
 * lossy WebP of 7 megapixels, lossless WebP of 5; an interlaced PNG of 6 to 10 in RGB, half of which is also held in memory.
 */
export const MAX_CALL_WORK_MS = 400;

/** What a codec needs besides what grows with the picture: its code's data, stack, tables. Measured, rounded up. */
export const CODEC_BASE_BYTES = 1_500_000;

/**
 * Most memory that JPEG's and WebP's decoders, which share it, keep from the garbage collector between pictures, and that a host
 * counts with: only a picture that needs more borrows it. What has grown beyond it is used again unless the garbage collector has
 * come for it.
 */
export const MAX_IDLE_WORKING_BYTES = 4 * 1024 * 1024;

/** The same for all idle PNG decoders together, of which one takes 0.2 to 0.8 MB, and for all idle resizers. */
export const MAX_IDLE_KERNEL_BYTES = 1 * 1024 * 1024;

/** Most scans in a JPEG of any kind. Encoders write about 10; each one walks over the whole picture again. */
export const MAX_JPEG_SCANS = 64;

/** Most segments in a JPEG, of up to 64 kB each: 20 MB of profiles and previews are 300, ten scans with their tables 30. */
export const MAX_JPEG_SEGMENTS = 2_048;

/** Longest side of the result, pixels. */
export const MAX_TARGET_SIDE = 2_048;
