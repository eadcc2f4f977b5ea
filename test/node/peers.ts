/** The benchmark's peers, against which exported models are checked where they are installed. */
import { peersInstalled } from '../../bench/peers/load.ts';

/** Whether to skip the tests that need them, saying so. */
export function withoutPeers(): boolean {
  if (peersInstalled()) return false;
  console.warn('Skipped: ONNX Runtime and LiteRT are not installed. Run `npm ci --prefix bench`.');
  return true;
}
