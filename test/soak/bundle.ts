/** The Worker with reservations that end soon, so that a test can wait for it. */
import { Deployment } from '../node/local/deployment.ts';

/** Of uploads and kept pictures; the Worker's own is 15 minutes. Far longer than any request takes here. */
export const RESERVATION_MS = 20_000;
const MARGIN_MS = 2_000;

/** @returns a copy of the Worker, to be bundled. */
export function hastyDeployment(): Deployment {
  const deployment = new Deployment();
  const limits = 'worker/limits.ts';
  deployment.edit(limits, 'RESERVATION_MS = 15 * 60_000', `RESERVATION_MS = ${RESERVATION_MS}`);
  deployment.edit(limits, 'RESERVATION_MARGIN_MS = 60_000', `RESERVATION_MARGIN_MS = ${MARGIN_MS}`);
  return deployment;
}
