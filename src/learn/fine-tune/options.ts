/** Options of a fine-tuning run, and their defaults. */
import type { AdamWOptions } from './adamw.ts';
import { ADAMW_DEFAULTS } from './adamw.ts';
import type { Augmentation } from './augment.ts';
import { AUGMENTATION } from './augment.ts';

export interface FineTuneOptions {
  readonly epochs: number;
  /** Examples per step. */
  readonly batch: number;
  /** Examples that are on the backend at once; bounds memory and changes nothing else but rounding. */
  readonly pictures: number;
  /** Peak learning rate of the tail, in units of the parameters: 0.001 moves a weight by a thousandth of its unit. */
  readonly rate: number;
  /** Peak learning rate of the head, in the same units. */
  readonly headRate: number;
  readonly warmUpEpochs: number;
  /** Share of the probability that goes to all classes alike. */
  readonly smoothing: number;
  /** Share of the steps, from the end, whose weights are averaged (Izmailov et al. 2018). */
  readonly averagedShare: number;
  /**
   * How far the tail goes from the pretrained weights to the tuned ones, 0 to 1. Part of the way keeps more of what
   * pretraining learned and does better on other pictures (Wortsman et al. 2022, WiSE-FT).
   */
  readonly distance: number;
  readonly augmentation: Augmentation;
  /** Largest share of another picture that is mixed into each; 0 mixes nothing, ½ is the most that makes sense. */
  readonly mixup: number;
  readonly adamW: AdamWOptions;
  readonly seed: number;
}

export const FINE_TUNE_DEFAULTS: FineTuneOptions = {
  epochs: 10,
  batch: 32,
  pictures: 16,
  rate: 3e-3,
  headRate: 1e-3,
  warmUpEpochs: 1,
  smoothing: 0.1,
  averagedShare: 0.35,
  distance: 0.7,
  augmentation: AUGMENTATION,
  mixup: 0.5,
  adamW: ADAMW_DEFAULTS,
  seed: 1,
};
