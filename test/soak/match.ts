/** Whether what was read of a tenant is what a state of the model says; what the model can't know is then taken from it. */
import { isDeepStrictEqual } from 'node:util';
import type { Observed, ObservedHead } from './observe.ts';
import { isThere, type Head, type State } from './state.ts';

class Mismatch extends Error {}

/**
 * @param state is given ids, times and numbers of versions.
 * @returns why it is not the state that was read, or undefined where it is.
 */
export function mismatch(state: State, observed: Observed): string | undefined {
  try {
    same('keep_images', state.keepImages, observed.keepImages);
    matchKeys(state, observed);
    for (const [name, head] of Object.entries(state.heads)) matchHead(name, head, observed.heads[name]);
    return undefined;
  } catch (error) {
    if (error instanceof Mismatch) return error.message;
    throw error;
  }
}

function same(what: string, expected: unknown, found: unknown): void {
  if (isDeepStrictEqual(expected, found)) return;
  const [missing, more] =
    Array.isArray(expected) && Array.isArray(found)
      ? [expected.filter((each) => !found.includes(each)), found.filter((each) => !expected.includes(each))]
      : [expected, found];
  throw new Mismatch(`${what}: expected ${JSON.stringify(missing)}, found ${JSON.stringify(more)}`);
}

function matchKeys({ keys }: State, observed: Observed): void {
  const unread = new Map(observed.keys.map((key) => [key.id, key]));
  for (const key of keys) {
    key.id ??= [...unread.values()].find(
      ({ id, name, revoked }) =>
        name === key.name && revoked === key.revoked && !keys.some((other) => other.id === id),
    )?.id;
    const { id, name, scopes, revoked } = key;
    same(`key '${name}'`, { id, name, scopes, revoked }, unread.get(id ?? ''));
    unread.delete(id ?? '');
  }
  same('keys beyond those expected', [], [...unread.values()]);
}

function matchHead(name: string, head: Head, observed: ObservedHead): void {
  matchExamples(name, head, observed);
  matchVersions(name, head, observed);
  const { current, canary, shadow, names } = head;
  same(
    `routing of ${name}`,
    { current, canary, shadow, names },
    { current: observed.current, canary: observed.canary, shadow: observed.shadow, names: observed.names },
  );
  same(`settings of ${name}`, isThere(head) ? head.settings : undefined, observed.settings);
}

function matchExamples(name: string, head: Head, observed: ObservedHead): void {
  same(`whether ${name} was taught`, head.taught !== undefined, observed.examples !== undefined);
  const found = observed.examples ?? {};
  same(`examples of ${name}`, Object.keys(head.examples).sort(), Object.keys(found).sort());
  for (const [picture, example] of Object.entries(head.examples)) {
    const { label, source, image, identity } = example;
    const expected = { label, source, image, identity: identity ?? found[picture].identity };
    same(`example ${picture} of ${name}`, expected, found[picture]);
    example.identity = found[picture].identity;
  }
}

/** Numbers may be skipped, where a crash left one unused, but they only grow. */
function matchVersions(name: string, head: Head, observed: ObservedHead): void {
  const fresh = Object.entries(head.versions).filter(([, { identity }]) => identity === undefined);
  const unread = new Map(Object.entries(observed.versions));
  for (const [number, version] of Object.entries(head.versions)) {
    if (version.identity === undefined) continue;
    const found = unread.get(number);
    same(`version ${number} of ${name}`, version.sha256, found?.sha256);
    if (version.identity !== '' && found?.identity !== '')
      same(`time of version ${number} of ${name}`, version.identity, found?.identity);
    unread.delete(number);
  }
  const hashes = [...unread.values()].map((found) => found.sha256);
  same(
    `new versions of ${name}`,
    fresh.map(([, version]) => version.sha256),
    hashes,
  );
  const numbers = [...unread.keys()].map(Number);
  for (const [i, [assumed]] of fresh.entries())
    if (numbers[i] < Number(assumed))
      throw new Mismatch(`${name}: a new version has the number ${numbers[i]}, which was given out before`);
  renumber(head, new Map(fresh.map(([assumed], i) => [Number(assumed), numbers[i]])));
  for (const number of numbers) head.versions[number].identity = observed.versions[number].identity;
  head.last = Math.max(head.last, ...numbers);
}

function renumber(head: Head, numbers: ReadonlyMap<number, number>): void {
  const changed = <T extends number | null>(number: T): T | number =>
    (number === null ? undefined : numbers.get(number)) ?? number;
  head.versions = Object.fromEntries(
    Object.entries(head.versions).map(([number, version]) => [changed(Number(number)), version]),
  );
  head.current = changed(head.current);
  head.shadow = changed(head.shadow);
  if (head.canary !== null) head.canary.version = changed(head.canary.version);
  for (const [name, version] of Object.entries(head.names)) head.names[name] = changed(version);
}
