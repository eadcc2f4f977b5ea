/** Options of a fine-tuning run, and their defaults. */
import { AUGMENTATION } from './augment.ts';

export type FineTuneOptions = Readonly<typeof FINE_TUNE_DEFAULTS>;

export const FINE_TUNE_DEFAULTS = {
  epochs: 10,
  /** Examples per step. */
  batch: 32,
  /** Examples that are on the backend at once; bounds memory and changes nothing else but rounding. */
  pictures: 16,
  /** Peak learning rate of the tail, in units of the parameters: 0.001 moves a weight by a thousandth of its unit. */
  rate: 3e-3,
  /** Peak learning rate of the head, in the same units. */
  headRate: 1e-3,
  warmUpEpochs: 1,
  /** Share of the probability that goes to all classes alike. */
  smoothing: 0.1,
  /** Share of the steps, from the end, whose weights are averaged (Izmailov et al. 2018). */
  averagedShare: 0.35,
  /**
   * How far the tail goes from the pretrained weights to the tuned ones, 0 to 1. Part of the way keeps more of what
   * pretraining learned and does better on other pictures (Wortsman et al. 2022, WiSE-FT).
   */
  distance: 0.7,
  augmentation: AUGMENTATION,
  /** Largest share of another picture that is mixed into each; 0 mixes nothing, ½ is the most that makes sense. */
  mixup: 0.5,
  /**
   * Of AdamW: the betas are of the running mean of gradients and of their squares; decay is the share of the distance to
   * the start that a step at learning rate 1 takes back.
   */
  adamW: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.05 },
  seed: 1,
};
