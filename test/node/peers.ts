/** The benchmark's peers, against which exported models are checked where they are installed. */
import { peersInstalled } from '../../bench/peers/load.ts';
import { skipped } from './skipped.ts';

/** Whether to skip the tests that need them, saying so. */
export function withoutPeers(): boolean {
  return (
    !peersInstalled() && skipped('ONNX Runtime and LiteRT are not installed. Run `npm ci --prefix bench`.')
  );
}
