/** What a tenant should hold, as plain values: the reference that the real service is compared with. */

export interface Example {
  readonly label: string;
  readonly source: 'code' | 'picture';
  /** Whether its picture is kept. */
  image: boolean;
  /** The revision of the head's examples that it came with. */
  readonly added: number;
  /** Its id and the time it came, once they were read. */
  identity?: string;
}

export interface Version {
  readonly sha256: string;
  /** The revision of the examples that it was trained on; null where it was uploaded. */
  trained: number | null;
  /** The time it came, once it was read. */
  identity?: string;
}

export interface Head {
  /** Undefined where it was never taught. */
  taught?: { revision: number; forgotten: number | null } | undefined;
  /** By the SHA-256 of the picture, or of the code. */
  examples: Record<string, Example>;
  /** By number. A version whose number was not read yet has a number that was not given out yet. */
  versions: Record<number, Version>;
  /** The highest number known to be given out. */
  last: number;
  current: number | null;
  canary: { version: number; percent: number } | null;
  shadow: number | null;
  names: Record<string, number>;
  settings: { guard_margin: number | null; capture: boolean };
}

export interface Key {
  /** Undefined where the answer with it was lost and it was not read yet. */
  id?: string | undefined;
  readonly name: string;
  readonly scopes: readonly string[];
  revoked: boolean;
}

/** What an Idempotency-Key stands for. */
export interface Remembered {
  readonly head: string;
  readonly revision: number;
  readonly added: number;
  readonly duplicates: number;
  answered: boolean;
}

export interface State {
  keepImages: boolean;
  heads: Record<string, Head>;
  keys: Key[];
  remembered: Record<string, Remembered>;
  /** Revisions given out, so that none comes back. */
  clock: number;
}

export const HEADS = ['pets', 'cars', 'plants'] as const;

export function emptyHead(): Head {
  return {
    examples: {},
    versions: {},
    last: 0,
    current: null,
    canary: null,
    shadow: null,
    names: {},
    settings: { guard_margin: null, capture: false },
  };
}

/** A tenant that was just made. */
export function emptyState(firstKey: Key): State {
  return {
    keepImages: false,
    heads: Object.fromEntries(HEADS.map((name) => [name, emptyHead()])),
    keys: [firstKey],
    remembered: {},
    clock: 1,
  };
}

/** What a restore makes of a tenant: all but pictures, keys, settings of the tenant and remembered requests. */
export function restoredState({ heads, clock }: State, firstKey: Key): State {
  const copy = structuredClone(heads);
  for (const head of Object.values(copy))
    for (const example of Object.values(head.examples)) example.image = false;
  return { keepImages: false, heads: copy, keys: [firstKey], remembered: {}, clock };
}

/** Whether there is a head that requests can name: one with a version, if only a named one. */
export const isThere = (head: Head): boolean => Object.keys(head.versions).length > 0;

export const labelsOf = ({ examples }: Head): string[] => [
  ...new Set(Object.values(examples).map(({ label }) => label)),
];

/** Less than two classes can't be told apart. */
export const canBeTrained = (head: Head): boolean => labelsOf(head).length >= 2;
