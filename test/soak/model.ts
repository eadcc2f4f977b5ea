/**
 * What each change does to a tenant: the service's rules once more, in their plainest form, without stores or crashes. Only
 * what training makes of examples is not repeated here: the trainer's own code path tells the hash of the head file.
 */
import { canBeTrained, emptyHead, isThere, labelsOf, type Head, type State } from './state.ts';

export interface TaughtExample {
  readonly picture: string;
  readonly label: string;
  readonly source: 'code' | 'picture';
}

type OfHead = { readonly head: string };

/** An operation with its choices made. */
export type Change =
  | (OfHead & {
      readonly kind: 'teach';
      readonly examples: readonly TaughtExample[];
      readonly train: boolean;
      readonly key: string | undefined;
    })
  | (OfHead & { readonly kind: 'forget'; readonly picture: string })
  | (OfHead & { readonly kind: 'forget class'; readonly label: string })
  | (OfHead & { readonly kind: 'relabel'; readonly picture: string; readonly label: string })
  | (OfHead & { readonly kind: 'train' })
  | (OfHead & { readonly kind: 'upload'; readonly sha256: string })
  | (OfHead & { readonly kind: 'activate'; readonly version: number; readonly percent: number })
  | (OfHead & { readonly kind: 'shadow'; readonly version: number | null })
  | (OfHead & { readonly kind: 'name'; readonly name: string; readonly version: number })
  | (OfHead & { readonly kind: 'unname'; readonly name: string })
  | (OfHead & { readonly kind: 'delete version'; readonly version: number })
  | (OfHead & { readonly kind: 'delete head' })
  | (OfHead & { readonly kind: 'configure head'; readonly settings: Head['settings'] })
  | { readonly kind: 'keep images'; readonly keep: boolean }
  | { readonly kind: 'create key'; readonly name: string; readonly scopes: readonly string[] }
  | { readonly kind: 'rotate key'; readonly id: string }
  | { readonly kind: 'revoke key'; readonly id: string };

/** What is left to do when a change's rows are stored: until a version knows the examples of a revision. */
export interface Pending {
  readonly head: string;
  readonly revision: number;
  /** The Idempotency-Key that is answered with it. */
  readonly key: string | undefined;
}

export interface Outcome {
  readonly status: number;
  /** Fields that the answer must have. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly pending?: Pending;
}

/** The SHA-256 of the head file that training makes of examples: labels by the pictures' hashes. */
export type HeadHash = (labels: ReadonlyMap<string, string>) => Promise<string>;

const OK: Outcome = { status: 200 };
const NO_CONTENT: Outcome = { status: 204 };
const NOT_FOUND: Outcome = { status: 404 };
const CONFLICT: Outcome = { status: 409 };

export class Model {
  readonly #hash: HeadHash;

  constructor(hash: HeadHash) {
    this.#hash = hash;
  }

  /** The change's rows, in one transaction. @param state is changed. */
  apply(state: State, change: Change): Outcome {
    if ('head' in change) return applyToHead(state, state.heads[change.head], change);
    switch (change.kind) {
      case 'keep images':
        state.keepImages = change.keep;
        if (!change.keep)
          for (const { examples } of Object.values(state.heads))
            for (const example of Object.values(examples)) example.image = false;
        return OK;
      case 'create key':
        state.keys.push({ name: change.name, scopes: change.scopes, revoked: false });
        return { status: 201 };
      case 'rotate key': {
        const key = state.keys.find(({ id }) => id === change.id);
        if (key === undefined || key.revoked) return NOT_FOUND;
        key.revoked = true;
        state.keys.push({ name: key.name, scopes: key.scopes, revoked: false });
        return { status: 201 };
      }
      case 'revoke key': {
        const key = state.keys.find(({ id }) => id === change.id);
        if (key === undefined) return NOT_FOUND;
        key.revoked = true;
        return NO_CONTENT;
      }
    }
  }

  /** Until a version knows the examples of a revision, and none knows what was forgotten. */
  async train(state: State, { head: name, revision, key }: Pending): Promise<Outcome> {
    const head = state.heads[name];
    const { taught } = head;
    // Deleted meanwhile.
    if (taught === undefined) return NOT_FOUND;
    if (key !== undefined && state.remembered[key] !== undefined) state.remembered[key].answered = true;
    await this.#reach(head, taught, revision);
    return OK;
  }

  async #reach(head: Head, taught: NonNullable<Head['taught']>, revision: number): Promise<void> {
    const trained = Math.max(0, ...Object.values(head.versions).map((version) => version.trained ?? 0));
    if (taught.forgotten === null && (trained >= revision || !canBeTrained(head))) return;
    if (canBeTrained(head)) {
      const labels = new Map(Object.entries(head.examples).map(([picture, { label }]) => [picture, label]));
      addVersion(head, await this.#hash(labels), taught.revision);
    }
    if (taught.forgotten === null) return;
    for (const [number, { trained: at }] of Object.entries(head.versions)) {
      if (at === null || at < taught.forgotten || at >= taught.revision) continue;
      if (head.current === Number(number)) head.current = null;
      if (!Object.values(head.names).includes(Number(number))) drop(head, Number(number));
    }
    taught.forgotten = null;
  }
}

function applyToHead(state: State, head: Head, change: HeadChange): Outcome {
  switch (change.kind) {
    case 'teach':
      return teach(state, head, change);
    case 'forget':
    case 'forget class':
      return forget(state, head, change);
    case 'relabel':
      return relabel(state, head, change);
    case 'train':
      return head.taught === undefined ? NOT_FOUND : { ...OK, pending: pendingOf(head.taught, change) };
    case 'upload':
      return upload(head, change.sha256);
    case 'delete head':
      return deleteHead(state, change.head, head);
    case 'activate':
    case 'shadow':
    case 'name':
    case 'unname':
    case 'delete version':
    case 'configure head':
      return changeRouting(head, change);
  }
}

const pendingOf = ({ revision }: { revision: number }, { head }: OfHead, key?: string): Pending => ({
  head,
  revision,
  key,
});

function teach(state: State, head: Head, change: Change & { kind: 'teach' }): Outcome {
  const { key } = change;
  const known = key === undefined ? undefined : state.remembered[key];
  const stored = known ?? store(state, head, change);
  if (stored === undefined) return CONFLICT;
  const { added, duplicates, answered } = stored;
  const done: Outcome = { status: 200, fields: { added, duplicates } };
  if (key !== undefined) state.remembered[key] = stored;
  if (change.train && !answered) return { ...done, pending: pendingOf(stored, change, key) };
  stored.answered = true;
  return done;
}

function forget(state: State, head: Head, change: Change & { kind: 'forget' | 'forget class' }): Outcome {
  if (head.taught === undefined) return NOT_FOUND;
  const gone = Object.entries(head.examples).filter(([picture, { label }]) =>
    change.kind === 'forget' ? picture === change.picture : label === change.label,
  );
  if (gone.length === 0) return NOT_FOUND;
  const first = Math.min(...gone.map(([, { added }]) => added), head.taught.forgotten ?? Infinity);
  for (const [picture] of gone) delete head.examples[picture];
  head.taught = { revision: ++state.clock, forgotten: first };
  return { status: 200, fields: { forgotten: gone.length }, pending: pendingOf(head.taught, change) };
}

function relabel(state: State, head: Head, change: Change & { kind: 'relabel' }): Outcome {
  const { picture, label } = change;
  const example = head.examples[picture];
  if (head.taught === undefined || !labelsOf(head).includes(label) || example === undefined) return NOT_FOUND;
  if (example.label !== label) {
    head.examples[picture] = { ...example, label };
    head.taught.revision = ++state.clock;
  }
  return { ...OK, pending: pendingOf(head.taught, change) };
}

/** @returns undefined where an example is known under another label: then nothing is stored. */
function store(state: State, head: Head, change: Change & { kind: 'teach' }) {
  const fresh: Record<string, TaughtExample> = {};
  for (const example of change.examples) {
    const known = head.examples[example.picture] ?? fresh[example.picture];
    if (known !== undefined && known.label !== example.label) return undefined;
    if (known === undefined) fresh[example.picture] = example;
  }
  const added = Object.keys(fresh).length;
  const revision = head.taught === undefined || added > 0 ? ++state.clock : head.taught.revision;
  head.taught = { revision, forgotten: head.taught?.forgotten ?? null };
  for (const { picture, label, source } of Object.values(fresh))
    head.examples[picture] = { label, source, image: false, added: revision };
  for (const { picture, source } of change.examples)
    if (source === 'picture' && state.keepImages) head.examples[picture].image = true;
  const duplicates = change.examples.length - added;
  return { head: change.head, revision, added, duplicates, answered: false };
}

/** A version comes, or comes again: current from now on. @param trained null where it was uploaded. */
function addVersion(head: Head, sha256: string, trained: number | null): { created: boolean } {
  const same = Object.entries(head.versions).find(([, version]) => version.sha256 === sha256);
  if (same !== undefined) {
    if (trained !== null) same[1].trained = trained;
    head.current = Number(same[0]);
    return { created: false };
  }
  head.last++;
  head.versions[head.last] = { sha256, trained };
  head.current = head.last;
  return { created: true };
}

function upload(head: Head, sha256: string): Outcome {
  const { created } = addVersion(head, sha256, null);
  return { status: created ? 201 : 200, fields: { created, sha256 } };
}

function deleteHead(state: State, name: string, head: Head): Outcome {
  if (head.current === null && head.taught === undefined) return NOT_FOUND;
  state.heads[name] = { ...emptyHead(), last: head.last };
  for (const [key, { head: its }] of Object.entries(state.remembered))
    if (its === name) delete state.remembered[key];
  return NO_CONTENT;
}

function drop(head: Head, version: number): void {
  delete head.versions[version];
  for (const [name, named] of Object.entries(head.names)) if (named === version) delete head.names[name];
  if (head.canary?.version === version) head.canary = null;
  if (head.shadow === version) head.shadow = null;
}

type HeadChange = Extract<Change, OfHead>;
type Routing = Extract<
  HeadChange,
  { kind: 'activate' | 'shadow' | 'name' | 'unname' | 'delete version' | 'configure head' }
>;

function changeRouting(head: Head, change: Routing): Outcome {
  const named = 'version' in change && change.version !== null ? change.version : undefined;
  if (!isThere(head) || (named !== undefined && head.versions[named] === undefined)) return NOT_FOUND;
  switch (change.kind) {
    case 'activate': {
      const { version, percent } = change;
      head.canary = percent === 100 ? null : { version, percent };
      if (percent === 100) head.current = version;
      else head.current ??= version;
      return OK;
    }
    case 'shadow':
      head.shadow = change.version;
      return OK;
    case 'name':
      head.names[change.name] = change.version;
      return OK;
    case 'unname':
      if (head.names[change.name] === undefined) return NOT_FOUND;
      delete head.names[change.name];
      return OK;
    case 'delete version':
      if (change.version === head.current) return CONFLICT;
      drop(head, change.version);
      return NO_CONTENT;
    case 'configure head':
      head.settings = { ...change.settings };
      return OK;
  }
}
