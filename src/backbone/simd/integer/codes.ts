/** Codes: the integers that stand for a map's numbers. */
import { HeadwaterError } from '../../../errors.ts';
import { type Activation, ACTIVATION_TABLE } from '../../activations.ts';
import type { Range } from '../../ranges.ts';

/** number = (code − zero) · unit, 0 ≤ code ≤ top */
export interface Codes {
  readonly bits: 8 | 16;
  readonly unit: number;
  readonly zero: number;
  readonly top: number;
}

/** Seven bits of eight: in that range every implementation of relaxed dot products gives the same. */
export const TOP_8 = 127;
/** 14 bits of sixteen leave those of a 32-bit sum enough for the weights. */
export const TOP_16 = 16_383;

/** Of the picture's bytes. */
export const PICTURE_CODES: Codes = { bits: 16, unit: 1, zero: 0, top: 255 };

export function codesOf({ low, high }: Range, bits: 8 | 16): Codes {
  const top = bits === 8 ? TOP_8 : TOP_16;
  const unit = (high - low) / top;
  return { bits, unit, zero: Math.round(-low / unit), top };
}

/** The least and the greatest code that an activation lets through, which only clips: see checkSteps. */
export function boundsOf({ unit, zero, top }: Codes, activation: Activation): [low: number, high: number] {
  const { low = -Infinity, high = Infinity } = ACTIVATION_TABLE[activation].clip ?? {};
  const codeOf = (number: number): number => Math.round(number / unit) + zero;
  return [Math.max(0, codeOf(low)), Math.min(top, codeOf(high))];
}

export function unsupported(step: string, why: string): HeadwaterError {
  return new HeadwaterError(
    'backbone_invalid',
    `The step '${step}' can't run on 8 bits: ${why}. Use the engine simd32 for this backbone.`,
  );
}
