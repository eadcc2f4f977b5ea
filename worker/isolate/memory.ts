/** The memory of this isolate: one account for all requests, for the Durable Objects that live here, and for the caches. */
import {
  MEMORY_BYTES,
  REQUEST_TERMS,
  SMALL_REQUEST_BYTES,
  SMALL_REQUEST_RESERVE_BYTES,
  TENANT_MEMORY_BYTES,
} from '../limits.ts';
import { Leases } from './leases.ts';

export const memory = new Leases(MEMORY_BYTES, REQUEST_TERMS, {
  share: TENANT_MEMORY_BYTES,
  reserve: SMALL_REQUEST_RESERVE_BYTES,
  small: SMALL_REQUEST_BYTES,
});
