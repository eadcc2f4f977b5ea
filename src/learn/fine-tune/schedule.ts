/** Learning rate over a run: a linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017). */

/**
 * @param step from 0; `steps` in all, the first `warmUp` of them warming up.
 * @returns the share of the peak rate, in (0, 1].
 */
export function cosineSchedule(step: number, steps: number, warmUp: number): number {
  if (step < warmUp) return (step + 1) / (warmUp + 1);
  const progress = (step - warmUp) / Math.max(1, steps - warmUp);
  return 0.5 * (1 + Math.cos(Math.PI * progress));
}
