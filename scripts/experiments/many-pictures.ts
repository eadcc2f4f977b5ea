/**
 * A large data set of small pictures, from a folder-a-class one of real photos: each is a crop of a photo of its class, mirrored
 * or not, in another light, as PNG. For seeing how the trainer does with many pictures; the same call makes the same files.
 *
 *   node scripts/experiments/many-pictures.ts <photos> <out> [count, 30000 when left out]
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { encodePng } from '../../src/image/png/encode.ts';
import { augment, AUGMENTATION } from '../../src/learn/fine-tune/augment.ts';
import { randomFor } from '../../src/random.ts';
import { loadDecoder } from '../../trainer/runtime.ts';

/** Crops are taken from photos of this size, pictures are of that one. */
const PHOTO = { height: 256, width: 256 };
const PICTURE = { height: 48, width: 48 };
/** Smaller crops than training itself takes: many pictures of one photo should differ. */
const CROPS = { ...AUGMENTATION, smallestArea: 0.15 };

const [photos, out, count = '30000'] = process.argv.slice(2);
if (out === undefined || !/^[1-9][0-9]{0,6}$/.test(count)) {
  process.stderr.write('Call it with a folder of photos, one folder a class, and one for the pictures.\n');
  process.exit(2);
}
const decoder = await loadDecoder();
const labels = readdirSync(photos).sort();
const pixels = new Uint8Array(PICTURE.height * PICTURE.width * 3);
for (const [c, label] of labels.entries()) {
  const names = readdirSync(join(photos, label)).sort();
  mkdirSync(join(out, label), { recursive: true });
  // Each class its share, the first ones one more where they don't come out even.
  const share = Math.ceil((Number(count) - c) / labels.length);
  for (const [k, name] of names.entries()) {
    const photo = await decoder.decode(readFileSync(join(photos, label, name)), PHOTO);
    for (let i = k; i < share; i += names.length) {
      augment(photo.pixels, PHOTO, pixels, PICTURE, randomFor(c, i), CROPS);
      writeFileSync(join(out, label, `${String(i).padStart(6, '0')}.png`), encodePng(pixels, PICTURE));
    }
  }
}
process.stderr.write(`${count} pictures of ${labels.length} classes in ${out}\n`);
