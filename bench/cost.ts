/** What a million requests cost on Cloudflare's Standard plan, beyond what its monthly fee includes. */

/** https://developers.cloudflare.com/workers/platform/pricing/, read in 2026-11. Dollars. */
const PRICE = { perMillionRequests: 0.3, perMillionCpuMs: 0.02 };

export const PRICE_SOURCE = 'https://developers.cloudflare.com/workers/platform/pricing/';

/** @param cpuMs CPU time of one request. @returns dollars for a million of them. */
export function dollarsPerMillion(cpuMs: number): number {
  return PRICE.perMillionRequests + cpuMs * PRICE.perMillionCpuMs;
}
