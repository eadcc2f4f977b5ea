/** Random bursts of requests and kills on one workerd, until so many kills were survived or one was not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { z } from 'zod';
import { batchOf, Mortal } from '../node/local/teaching.ts';
import { Material, Origin, picturesShown } from './material.ts';
import { bursts, type Burst } from './operations.ts';
import { leftovers, type Leftovers } from './stores.ts';
import { World, type Tally } from './world.ts';

export interface SoakOptions {
  readonly kills: number;
  readonly seed: number;
  /** fast-check's, of a failure: only that case is run. */
  readonly path?: string;
  readonly bundle?: string;
  /** Bursts of one case; each has tenants of its own. */
  readonly bursts: number;
  /** How long the bundle's reservations last: they are waited for, then what is left is counted. Undefined: no. */
  readonly reservationMs?: number;
  readonly onProgress?: (tally: Tally) => void;
  /** Hears of a failure before it is shrunk. */
  readonly onFailure?: (fault: string) => void;
}

export interface SoakResult extends Leftovers {
  readonly tally: Tally;
  /** The shrunk case and why it failed; undefined where nothing did. */
  readonly failure: string | undefined;
}

/** Bursts in twelve that end in a kill. */
const KILLED = 4;
/** How long a failing case is shrunk. */
const SHRINK_MS = 60_000;

class BurstCommand implements fc.AsyncCommand<object, World> {
  readonly burst: Burst;
  readonly #onProgress: (tally: Tally) => void;
  readonly #isDone: () => boolean;

  constructor(burst: Burst, isDone: () => boolean, onProgress: (tally: Tally) => void) {
    this.burst = burst;
    this.#isDone = isDone;
    this.#onProgress = onProgress;
  }

  check(): boolean {
    return !this.#isDone();
  }

  async run(_model: object, world: World): Promise<void> {
    await world.play(this.burst);
    this.#onProgress(world.tally);
  }

  toString(): string {
    return JSON.stringify(this.burst);
  }
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { kills, seed, path, onProgress = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'headwater-soak-'));
  const world = await openWorld(folder, options.bundle);
  try {
    let failedAt: number | undefined;
    const isDone = (): boolean =>
      failedAt === undefined ? world.tally.kills >= kills : performance.now() > failedAt + SHRINK_MS;
    const command = bursts(KILLED).map((burst) => new BurstCommand(burst, isDone, onProgress));
    const property = fc.asyncProperty(
      fc.commands([command], { maxCommands: options.bursts, size: 'max' }),
      async (commands) => {
        if (isDone()) return;
        try {
          await world.begin();
          await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
        } catch (error) {
          if (failedAt === undefined)
            options.onFailure?.(error instanceof Error ? (error.stack ?? '') : String(error));
          failedAt ??= performance.now();
          await world.forgetActive();
          throw error;
        }
      },
    );
    const found = await fc.check(property, {
      seed,
      // Bursts of the first cases are as large as those of the last.
      unbiased: true,
      numRuns: Math.max(1000, kills),
      ...(path === undefined ? {} : { path, endOnFailure: true }),
    });
    const failure = found.failed
      ? `${fc.defaultReportMessage(found)}\n${String(found.errorInstance)}`
      : undefined;
    const { reservationMs } = options;
    const left =
      reservationMs === undefined || failure !== undefined
        ? { orphans: [], faults: [] }
        : await leftovers(world, reservationMs);
    return { tally: world.tally, failure, ...left };
  } finally {
    await world.mortal.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const Row = z.looseObject({ row: z.string(), origin: Origin.optional() });
const Embeddings = z.object({ embeddings: z.array(z.object({ code: z.array(z.number()) })) });

async function openWorld(folder: string, bundle: string | undefined): Promise<World> {
  const hook: { world?: World } = {};
  const mortal = new Mortal(folder, () => hook.world?.onStep(), bundle);
  await mortal.start();
  const { id, key } = z
    .object({ id: z.string(), key: z.string() })
    .parse(await (await mortal.createTenant()).json());
  await (await mortal.teach(key, 'pets', batchOf(await mortal.backbone(), 'ant', 2, 1), 'first')).text();
  const lines = (await (await mortal.call(key, '/v1/backup')).text()).split('\n');
  const origin = lines
    .map((line) => (line === '' ? undefined : Row.parse(JSON.parse(line)).origin))
    .find(Boolean);
  const pictures = picturesShown();
  const body = new FormData();
  for (const { bytes, name } of pictures) body.append('image', new Blob([bytes]), name);
  const answer = await mortal.call(key, '/v1/embed', { method: 'POST', body });
  const codes = Embeddings.parse(await answer.json()).embeddings.map(({ code }) => Float32Array.from(code));
  await (await mortal.deleteTenant(id)).text();
  const material = new Material(Origin.parse(origin), codes);
  hook.world = new World(mortal, material, { bytes: pictures[0].bytes, code: codes[0] });
  return hook.world;
}
