/** What may be requested of a tenant, and random sequences of it. Numbers choose among what is there when their turn comes. */
import * as fc from 'fast-check';
import { HEADS } from './state.ts';

/** Codes and pictures that may be taught; see material.ts. */
export const CODES = 40;
export const PICTURES = 16;
export const LABELS = ['ant', 'bee', 'cow', 'dog'] as const;
const NAMES = ['prod', 'best', 'old'] as const;
/** Heads trained elsewhere that may be uploaded. */
export const UPLOADS = 3;

interface OfHead {
  readonly head: (typeof HEADS)[number];
}

export type Operation =
  | (OfHead & {
      readonly kind: 'teach';
      readonly codes: readonly number[];
      readonly pictures: readonly number[];
      readonly train: boolean;
      /** Whether it comes with an Idempotency-Key. */
      readonly keyed: boolean;
    })
  /** The last keyed teach request of the tenant once more. */
  | { readonly kind: 'repeat' }
  | (OfHead & { readonly kind: 'forget'; readonly nth: number })
  | (OfHead & { readonly kind: 'forget class'; readonly label: string })
  | (OfHead & { readonly kind: 'relabel'; readonly nth: number; readonly label: string })
  | (OfHead & { readonly kind: 'train' })
  | (OfHead & { readonly kind: 'upload'; readonly which: number })
  | (OfHead & { readonly kind: 'activate'; readonly nth: number; readonly percent: number })
  | (OfHead & { readonly kind: 'shadow'; readonly nth: number | null })
  | (OfHead & { readonly kind: 'name'; readonly name: string; readonly nth: number })
  | (OfHead & { readonly kind: 'unname'; readonly name: string })
  | (OfHead & { readonly kind: 'delete version'; readonly nth: number })
  | (OfHead & { readonly kind: 'delete head' })
  | (OfHead & {
      readonly kind: 'configure head';
      readonly settings: { guard_margin: number | null; capture: boolean };
    })
  | { readonly kind: 'keep images'; readonly keep: boolean }
  | { readonly kind: 'create key'; readonly scopes: readonly string[] }
  | { readonly kind: 'rotate key'; readonly nth: number }
  | { readonly kind: 'revoke key'; readonly nth: number };

/** What makes and ends tenants: nothing else is requested of the tenant at the same time. */
export interface TenantOperation {
  readonly kind: 'restore' | 'delete tenant';
  readonly tenant: number;
}

export interface Act {
  /** Chooses the tenant. */
  readonly tenant: number;
  /** Sent without waiting for one another's answers. */
  readonly operations: readonly Operation[];
  /** Milliseconds after which each of them is sent, in turns. */
  readonly delays: readonly number[];
}

/** When workerd is killed: so many ms after the requests were sent, or at a step of one of them (test/node/local/steps.mjs). */
export type Kill = { readonly ms: number } | { readonly step: number };

export interface Burst {
  readonly acts: readonly Act[];
  readonly tenantOperation: TenantOperation | null;
  readonly kill: Kill | null;
  /** Milliseconds that requests wait at their steps, in turns, so that others come in between. */
  readonly pauses: readonly number[];
}

/** What new tenants begin with, so that there is something to forget, to name and to lose. */
export const OPENING: readonly Burst[] = [
  [0, { kind: 'keep images', keep: true }] as const,
  [
    0,
    { kind: 'teach', head: 'pets', codes: [0, 1, 2, 5], pictures: [0, 1], train: true, keyed: true },
  ] as const,
  [
    1,
    { kind: 'teach', head: 'cars', codes: [3, 4, 6, 7], pictures: [2], train: false, keyed: false },
  ] as const,
].map(([tenant, operation]) => ({
  acts: [{ tenant, operations: [operation], delays: [0] }],
  tenantOperation: null,
  kill: null,
  pauses: [],
}));

const nth = fc.nat(11);
/** Two of them mostly, so that operations meet. */
const head = fc.oneof(
  { weight: 5, arbitrary: fc.constant(HEADS[0]) },
  { weight: 3, arbitrary: fc.constant(HEADS[1]) },
  { weight: 1, arbitrary: fc.constant(HEADS[2]) },
);
const label = fc.constantFrom(...LABELS);
const name = fc.constantFrom(...NAMES);

const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);

const teach = fc
  .record({
    kind: kind('teach'),
    head,
    codes: fc.array(fc.nat(CODES - 1), { maxLength: 5, size: 'max' }),
    pictures: fc.array(fc.nat(PICTURES - 1), { maxLength: 2, size: 'max' }),
    train: fc.boolean().chain((often) => (often ? fc.constant(true) : fc.boolean())),
    keyed: fc.boolean(),
  })
  .filter(({ codes, pictures }) => codes.length + pictures.length > 0);

const percent = fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 99 }));
const settings = fc.record({ guard_margin: fc.constantFrom(null, 1), capture: fc.boolean() });
const scopes = fc.constantFrom(['read'], ['read', 'write'], ['read', 'write', 'admin']);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 16, arbitrary: teach },
  { weight: 2, arbitrary: fc.record({ kind: kind('repeat') }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('forget'), head, nth }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('forget class'), head, label }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('relabel'), head, nth, label }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('train'), head }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('upload'), head, which: fc.nat(UPLOADS + 2) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('activate'), head, nth, percent }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('shadow'), head, nth: fc.option(nth, { nil: null }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('name'), head, name, nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('unname'), head, name }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('delete version'), head, nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('delete head'), head }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('configure head'), head, settings }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('keep images'), keep: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('create key'), scopes }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('rotate key'), nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('revoke key'), nth }) },
);

const delays = fc.array(fc.oneof(fc.constant(0), fc.nat(150)), { minLength: 1, maxLength: 3, size: 'max' });

/** Something is taught, and something forgotten or given another label meanwhile. */
const clash = head.chain((its) =>
  fc.tuple(
    teach.map((each) => ({ ...each, head: its, train: true })),
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: kind('forget'), head: fc.constant(its), nth }) },
      fc.record({ kind: kind('forget class'), head: fc.constant(its), label }),
      fc.record({ kind: kind('relabel'), head: fc.constant(its), nth, label }),
    ),
  ),
);

const act = fc.record({
  tenant: fc.nat(11),
  delays,
  operations: fc.oneof(
    { weight: 3, arbitrary: fc.array(operation, { minLength: 1, maxLength: 3, size: 'max' }) },
    { weight: 1, arbitrary: clash },
  ),
});

const tenantOperation: fc.Arbitrary<TenantOperation> = fc.record({
  kind: fc.constantFrom('restore', 'delete tenant'),
  tenant: fc.nat(11),
});

const kill: fc.Arbitrary<Kill> = fc.oneof(
  fc.record({ ms: fc.oneof(fc.nat(40), fc.nat(250)) }),
  fc.record({ step: fc.integer({ min: 1, max: 9 }) }),
);

/** @param killed the share of bursts in which workerd is killed, in twelfths. */
export const bursts = (killed: number): fc.Arbitrary<Burst> =>
  fc.record({
    acts: fc.uniqueArray(act, {
      minLength: 2,
      maxLength: 3,
      size: 'max',
      selector: ({ tenant }) => tenant % 3,
    }),
    tenantOperation: fc.oneof(
      { weight: 9, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: tenantOperation },
    ),
    pauses: fc.array(fc.oneof(fc.constant(0), fc.nat(120)), { minLength: 1, maxLength: 4, size: 'max' }),
    kill: fc.oneof(
      { weight: 12 - killed, arbitrary: fc.constant(null) },
      { weight: killed, arbitrary: kill },
    ),
  });
