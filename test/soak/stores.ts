/** At the end: R2 and KV hold what the model says and nothing else. */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { sha256 } from './material.ts';
import type { TenantUnderTest } from './tenant.ts';
import type { World } from './world.ts';

/** What the alarm has then had to do, it must have done; keys that were revoked stop everywhere within a minute. */
const SETTLED_WITHIN_MS = 90_000;

const Entry = z.record(z.string(), z.unknown());
/** How late an alarm may be. */
const ALARM_MS = 3_000;

export interface Leftovers {
  /** Objects that nothing refers to. */
  readonly orphans: readonly string[];
  readonly faults: readonly string[];
}

/**
 * Waits until reservations have ended, then until nothing is left over, at most SETTLED_WITHIN_MS.
 * @param reservationMs of the Worker under test.
 */
export async function leftovers(world: World, reservationMs: number): Promise<Leftovers> {
  await wait(reservationMs + ALARM_MS);
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const found = await leftoversNow(world);
    const isClean = found.orphans.length === 0 && found.faults.length === 0;
    if (isClean || performance.now() > deadline) return found;
    await wait(1000);
  }
}

async function leftoversNow(world: World): Promise<Leftovers> {
  const { objects, entries } = await world.mortal.stored();
  const faults: string[] = [];
  const expected = new Set(world.tenants.flatMap(headFiles));
  const places = new Map(world.tenants.flatMap(pictureCounts));
  const orphans: string[] = [];
  for (const name of objects) {
    const place = name.slice(0, name.lastIndexOf('/') + 1);
    const left = places.get(place) ?? 0;
    if (left > 0) places.set(place, left - 1);
    else if (!expected.delete(name)) orphans.push(`R2 ${name}`);
  }
  for (const name of expected) faults.push(`R2 lacks ${name}`);
  for (const [place, missing] of places)
    if (missing > 0) faults.push(`R2 lacks ${missing} pictures in ${place}`);
  compareEntries(world, new Map(Object.entries(entries)), orphans, faults);
  await compareKeys(world, faults);
  return { orphans, faults };
}

function headFiles({ id, state }: TenantUnderTest): string[] {
  return Object.entries(state.heads).flatMap(([head, { versions }]) =>
    Object.entries(versions).map(
      ([number, version]) => `heads/${id}/${head}/${number}-${version.sha256}.safetensors`,
    ),
  );
}

/** How many pictures of examples lie where. */
function pictureCounts({ id, state }: TenantUnderTest): [string, number][] {
  return Object.entries(state.heads).map(([head, { examples }]) => [
    `images/${id}/${head}/`,
    Object.values(examples).filter(({ image }) => image).length,
  ]);
}

function compareEntries(
  world: World,
  entries: Map<string, unknown>,
  orphans: string[],
  faults: string[],
): void {
  let unknownKeys = world.unknownTenants;
  for (const tenant of world.tenants) {
    if (!entries.delete(`tenant/${tenant.id}`)) faults.push(`KV lacks the tenant ${tenant.id}`);
    for (const [name, value] of pointers(tenant)) {
      const found = Entry.parse(entries.get(name) ?? {});
      delete found['revision'];
      if (!isDeepStrictEqual(found, value))
        faults.push(`KV ${name} is ${JSON.stringify(found)}, not ${JSON.stringify(value)}`);
      entries.delete(name);
    }
    for (const { id, revoked } of tenant.state.keys) {
      const secret = id === undefined ? undefined : (tenant.secrets.get(id) ?? undefined);
      if (revoked) continue;
      if (secret === undefined) unknownKeys++;
      else if (!entries.delete(`key/${sha256(Buffer.from(secret))}`)) faults.push(`KV lacks the key ${id}`);
    }
    // The first key's id was not answered with it.
    if (entries.delete(`key/${sha256(Buffer.from(tenant.key))}`)) unknownKeys--;
  }
  const left = [...entries.keys()];
  const unknown = left.filter((name) => name.startsWith('key/')).length;
  if (unknown > unknownKeys) orphans.push(`KV ${unknown} keys where ${unknownKeys} have no known secret`);
  const tenants = left.filter((name) => name.startsWith('tenant/'));
  if (tenants.length > world.unknownTenants) orphans.push(...tenants.map((name) => `KV ${name}`));
  orphans.push(...left.filter((name) => !/^(key|tenant)\//.test(name)).map((name) => `KV ${name}`));
}

function pointers({ id, state }: TenantUnderTest): [string, object][] {
  return Object.entries(state.heads)
    .filter(([, { current }]) => current !== null)
    .map(([name, { current, canary, shadow, names, versions, settings }]) => [
      `head/${id}/${name}`,
      {
        current,
        versions: Object.fromEntries(
          Object.entries(versions).map(([number, { sha256: hash }]) => [number, hash]),
        ),
        names,
        canary,
        shadow,
        capture: settings.capture,
      },
    ]);
}

/** Keys that were revoked, and those of tenants that are gone, are refused by now. */
async function compareKeys({ tenants, mortal, endedKeys }: World, faults: string[]): Promise<void> {
  const revoked = tenants.flatMap(({ state, secrets }) =>
    state.keys.flatMap((key) => (key.revoked ? (secrets.get(key.id ?? '') ?? []) : [])),
  );
  for (const key of [...revoked, ...endedKeys]) {
    const { status } = await mortal.call(key, '/v1/heads');
    if (status !== 401) faults.push(`a key that should not work any more was answered ${status}`);
  }
}
