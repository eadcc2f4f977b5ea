/**
 * `npm run soak [-- --kills 300] [-- --seed 1] [-- --path P]`: the service beside a model of it. Random requests to several
 * tenants at once, workerd killed in the middle of them and started again, and all that can be read compared with what the
 * model says (test/soak/). It shrinks a failure and prints the seed and path that repeat it. Then heads that are moved to another
 * backbone through kills, many tenants at once, and
 * thousands of pictures in a row, during which workerd's memory must stop growing. Exits 1 where something does not hold.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { largeMove } from './large-move.ts';
import { twoDefaults } from './node/local/two-defaults.ts';
import { hastyDeployment, RESERVATION_MS } from './soak/bundle.ts';
import { crowd } from './soak/crowd.ts';
import { moveThroughKills } from './soak/moves.ts';
import { soak } from './soak/run.ts';
import type { Tally } from './soak/world.ts';
import { steadyMemory } from './steady-memory.ts';

const PROGRESS_MS = 15_000;
const MOVE_KILLS = 50;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
    bursts: { type: 'string', default: '12' },
    /** Neither the moves nor the crowd nor the memory afterwards. */
    'only-model': { type: 'boolean', default: false },
  },
});

const faults: string[] = [];
const check = (holds: boolean, what: string): void => {
  if (!holds) faults.push(what);
};
const startedAt = performance.now();
let saidAt = 0;

function progress({ kills, bursts, requests, unanswered, restores }: Tally): void {
  if (performance.now() < saidAt + PROGRESS_MS) return;
  saidAt = performance.now();
  console.log(
    `${minutes()} min: ${kills} kills, ${bursts} bursts, ${requests} requests, ${unanswered} of them unanswered, ${restores} restores`,
  );
}

const minutes = (): string => ((performance.now() - startedAt) / 60_000).toFixed(1);

/** Ends with a line that says where workerd was killed. */
async function moves(seed: number): Promise<void> {
  const bundles = await twoDefaults();
  const state = mkdtempSync(join(tmpdir(), 'headwater-soak-'));
  try {
    const kills = await moveThroughKills({ seed, kills: MOVE_KILLS, bundles, state, check });
    console.log(`Heads moved through ${kills.length} kills, seed ${seed}: ${kills.join(', ')}.`);
  } finally {
    await bundles.remove();
    rmSync(state, { recursive: true, force: true });
  }
}

const deployment = hastyDeployment();
try {
  const seed = Number(values.seed);
  console.log(`Seed ${seed}. Bundling …`);
  const {
    tally,
    failure,
    orphans,
    faults: left,
  } = await soak({
    kills: Number(values.kills),
    seed,
    bursts: Number(values.bursts),
    bundle: await deployment.bundle(),
    reservationMs: RESERVATION_MS,
    onProgress: progress,
    onFailure: (fault) => console.error(`FAULT, to be shrunk: ${fault}`),
    ...(values.path === undefined ? {} : { path: values.path }),
  });
  if (failure !== undefined) faults.push(failure);
  faults.push(...left, ...orphans.map((name) => `left over: ${name}`));
  console.log(
    `${tally.kills} kills in ${minutes()} min: ${tally.bursts} bursts, ${tally.answered} answered requests, ${tally.unanswered} unanswered, ${tally.restores} restores; ${failure === undefined ? 'no' : 'a'} difference, ${orphans.length} orphans.`,
  );
} finally {
  await deployment.stop();
}
if (!values['only-model'] && faults.length === 0) {
  await moves(Number(values.seed));
  await largeMove(check);
  await crowd(20, 200, 2_000, check);
  await steadyMemory(check);
}
for (const fault of faults.slice(0, 20)) console.error(`FAULT: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
