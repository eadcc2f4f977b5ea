/** Moves of heads, with workerd killed ten times at random steps, by a fixed seed: `npm run soak` draws others. */
import { expect, it } from 'vitest';
import { moveThroughKills } from '../../soak/moves.ts';
import { temporaryFolder } from '../trainer/workspace.ts';
import { sharedDefaults } from './two-defaults.ts';

const SEED = 20_261_202;
const KILLS = 10;

it(`loses nothing over ${KILLS} kills, and ends with the right versions (seed ${SEED})`, async () => {
  const faults: string[] = [];
  const kills = await moveThroughKills({
    seed: SEED,
    kills: KILLS,
    bundles: await sharedDefaults(),
    state: temporaryFolder(),
    check: (holds, what) => {
      if (!holds) faults.push(what);
    },
  });
  console.log(`Seed ${SEED}: killed at ${kills.join(', ')}.`);
  expect(kills).toHaveLength(KILLS);
  expect(faults).toEqual([]);
});
