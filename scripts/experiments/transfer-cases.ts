/**
 * Four data sets, one for each quadrant of the map of transfer learning, from two folder-a-class ones with train/ and
 * test/: photos that are similar to what the backbone knows, such as TrashNet, and pictures that are different, such as
 * thumbnails of flowers. `much` takes all training pictures, `little` the first 8 of each class; test/ stays whole.
 *
 *   node scripts/experiments/transfer-cases.ts <similar> <different> <out> [--train]
 *
 * With --train a head is trained for each, which takes some twenty minutes, and a table says where the data landed, what was
 * chosen, and how it did beside the best of all that were tried.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { percent } from '../../trainer/evaluation/metrics-text.ts';
import { table } from '../../trainer/cli/terminal.ts';

const FEW = 8;

const Trained = z.object({
  strategy: z.string(),
  test: z.object({ accuracy: z.number() }),
  choice: z.object({
    quadrant: z.object({ size: z.string(), similarity: z.string() }),
    tried: z.array(z.object({ strategy: z.string(), accuracy: z.number() })),
  }),
});

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

/** The row of a case in the table. */
function train(name: string, folder: string): string[] {
  const cli = join(import.meta.dirname, '../../trainer/cli.ts');
  const [data, test, head] = ['train', 'test', 'head.safetensors'].map((part) => join(folder, part));
  const args = [cli, 'train', data, '--test', test, '--out', head, '--json'];
  const { stdout, status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`Training on ${data} ended with code ${status}.`);
  const { strategy, choice, test: judged } = Trained.parse(JSON.parse(stdout.toString()));
  const best = choice.tried.reduce((most, each) => (each.accuracy > most.accuracy ? each : most));
  const chosen = choice.tried.find((each) => each.strategy === strategy)!;
  return [
    name,
    `${choice.quadrant.similarity}, ${choice.quadrant.size}`,
    `${strategy}, ${percent(chosen.accuracy)}`,
    `${best.strategy}, ${percent(best.accuracy)}`,
    percent(judged.accuracy),
  ];
}

const [similar, different, out, ...rest] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write(
    'Call it with a folder of similar pictures, one of different ones, and one for the four data sets.\n',
  );
  process.exit(2);
}
const names: string[] = [];
for (const [name, source] of Object.entries({ similar, different })) {
  take(source, join(out, `${name}-much`), Infinity);
  take(source, join(out, `${name}-little`), FEW);
  names.push(`${name}-much`, `${name}-little`);
}
process.stderr.write(`Four data sets in ${out}\n`);
if (rest.includes('--train')) {
  const rows = names.map((name) => train(name, join(out, name)));
  process.stdout.write(
    `${table(['case', 'landed in', 'chosen, held out', 'best, held out', 'chosen, test'], rows)}\n`,
  );
}
