/** Writes a head behind its network. */
import type { Head } from '../head/index.ts';
import type { FloatTarget } from './float-target.ts';
import type { Network } from './network.ts';
import { writeNetwork } from './rounding-walk.ts';

/** @returns the name of the codes, beside which the graph has PROBABILITIES. @throws HeadwaterError as `writeNetwork`. */
export function writeHead(
  { mean, deviation, weights, bias, temperature }: Head,
  network: Network,
  target: FloatTarget,
): string {
  const codes = writeNetwork(network, target);
  const row = [1, mean.length];
  const centred = target.operator('sub', 'head/centred', [codes, target.constant('head/mean', row, mean)]);
  const inverse = deviation.map((value) => 1 / value);
  const scale = target.constant('head/inverse_deviation', row, inverse);
  const standardised = target.operator('mul', 'head/standardised', [centred, scale]);
  const tempered = (values: Float32Array): Float32Array => values.map((value) => value / temperature);
  target.classify(standardised, tempered(weights), tempered(bias));
  return codes;
}

/** Metadata of a model: which backbone's codes it gives. */
export function identityOf({ name, version, weightsSha256 }: Head['backbone']): Record<string, string> {
  return { backbone: `${name} ${version}`, weights_sha256: weightsSha256 };
}
