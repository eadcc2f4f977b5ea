/**
 * Four data sets, one for each quadrant of the map of transfer learning, from two folder-a-class ones with train/ and
 * test/: photos that are similar to what the backbone knows, such as TrashNet, and pictures that are different, such as
 * thumbnails of flowers. `much` takes all training pictures, `little` the first 8 of each class; test/ stays whole.
 *
 *   node scripts/transfer-cases.ts <similar> <different> <out>
 *   npm run -s headwater -- train <out>/similar-little/train --test <out>/similar-little/test --out h.safetensors
 */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const FEW = 8;

function take(source: string, out: string, most: number): void {
  cpSync(join(source, 'test'), join(out, 'test'), { recursive: true });
  for (const label of readdirSync(join(source, 'train'))) {
    for (const file of readdirSync(join(source, 'train', label))
      .sort()
      .slice(0, most)) {
      cpSync(join(source, 'train', label, file), join(out, 'train', label, file));
    }
  }
}

const [similar, different, out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write(
    'Call it with a folder of similar pictures, one of different ones, and one for the four data sets.\n',
  );
  process.exit(2);
}
for (const [name, source] of Object.entries({ similar, different })) {
  take(source, join(out, `${name}-much`), Infinity);
  take(source, join(out, `${name}-little`), FEW);
}
process.stderr.write(`Four data sets in ${out}\n`);
