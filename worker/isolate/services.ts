/** What an isolate keeps between requests: the classifier, the caches in front of the stores, and memory to lend. */
import { Leases } from './leases.ts';
import {
  BODY_BUDGET_BYTES,
  BODY_LEASE_MS,
  BODY_WAIT_TIMEOUT_MS,
  LARGEST_BODY_LOAN_BYTES,
  SMALL_BODY_BYTES,
  SMALL_BODY_RESERVE_BYTES,
  TENANT_BODY_BUDGET_BYTES,
} from '../limits.ts';
import { Metering } from '../access/metering.ts';
import type { Runtime } from './backbones.ts';
import { withPictures } from '../http/pictures.ts';
import { HeadLoader } from '../stores/head-loader.ts';
import { HeadStore } from '../stores/heads.ts';
import { KeyStore } from '../stores/keys.ts';
import { PointerStore } from '../stores/pointers.ts';
import { TailStore } from '../stores/tails.ts';

export interface Services {
  readonly runtime: Runtime;
  readonly keys: KeyStore;
  readonly metering: Metering;
  readonly pointers: PointerStore;
  readonly heads: HeadStore;
  readonly loader: HeadLoader;
  readonly tails: TailStore;
  /** Bytes of request bodies. */
  readonly memory: Leases;
  /** Hands a request's images to `use`, within the memory that is lent to the tenant (http/pictures.ts). */
  readonly withPictures: <T>(
    request: Request,
    tenant: string,
    maxPictures: number,
    use: (pictures: Uint8Array[]) => Promise<T>,
  ) => Promise<T>;
}

export function createServices(runtime: Runtime): Services {
  const memory = new Leases(BODY_BUDGET_BYTES, BODY_LEASE_MS, BODY_WAIT_TIMEOUT_MS, {
    share: TENANT_BODY_BUDGET_BYTES,
    largest: LARGEST_BODY_LOAN_BYTES,
    reserve: SMALL_BODY_RESERVE_BYTES,
    small: SMALL_BODY_BYTES,
  });
  const [pointers, heads] = [new PointerStore(), new HeadStore(runtime)];
  return {
    runtime,
    keys: new KeyStore(),
    metering: new Metering(),
    pointers,
    heads,
    loader: new HeadLoader(pointers, heads, runtime),
    tails: new TailStore(),
    memory,
    withPictures: (request, tenant, maxPictures, use) =>
      withPictures(request, memory.of(tenant), maxPictures, use),
  };
}
