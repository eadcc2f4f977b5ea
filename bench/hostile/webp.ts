/** The most expensive WebPs that are not refused by their header. */
import sharp from 'sharp';

/** The same on each machine. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) bytes[i] = (state = (state * 1664525 + 1013904223) >>> 0) >>> 24;
  return bytes;
}

const noisy = (width: number, height: number, channels: 3 | 4) =>
  sharp(noise(width * height * channels), { raw: { width, height, channels } });

/** Soft edges everywhere: a lossy decoder filters each of them, a lossless one predicts each pixel. */
export const soft = (width: number, height: number) =>
  sharp(noise((width / 20) * (height / 20) * 3), {
    raw: { width: width / 20, height: height / 20, channels: 3 },
  }).resize(width, height, { kernel: 'cubic' });

export async function hostileWebps(): Promise<Record<string, Uint8Array>> {
  return {
    'WebP, 4000×3000, noise': await noisy(4000, 3000, 3).webp({ quality: 60, effort: 0 }).toBuffer(),
    'WebP, 1900×1500, noise': await noisy(1900, 1500, 3).webp({ quality: 100, effort: 0 }).toBuffer(),
    'WebP, 4000×3000, soft': await soft(4000, 3000).webp({ quality: 75, effort: 2 }).toBuffer(),
    'WebP, 3200×2240, soft': await soft(3200, 2240).webp({ quality: 75, effort: 2 }).toBuffer(),
    'WebP, 2400×1800, lossless, soft': await soft(2400, 1800).webp({ lossless: true, effort: 2 }).toBuffer(),
    'WebP, lossless noise': await noisy(2100, 1800, 3).webp({ lossless: true, effort: 0 }).toBuffer(),
    'WebP, noise in its alpha plane': await noisy(1700, 1400, 4)
      .webp({ quality: 80, alphaQuality: 100, effort: 0 })
      .toBuffer(),
  };
}
