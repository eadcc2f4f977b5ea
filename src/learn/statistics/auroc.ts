/** How well a score separates unknown pictures from known ones. */

/**
 * Area under the ROC curve: the probability that an unknown picture has a higher score than a known one. Ties count half
 * (Mann & Whitney 1947).
 * @returns 0.5 where either side is empty.
 */
export function auroc(known: ArrayLike<number>, unknown: ArrayLike<number>): number {
  if (known.length === 0 || unknown.length === 0) return 0.5;
  const sorted = Float64Array.from(known).sort();
  let wins = 0;
  for (let i = 0; i < unknown.length; i++) {
    const below = countBefore(sorted, (value) => value >= unknown[i]);
    wins += (below + countBefore(sorted, (value) => value > unknown[i])) / 2;
  }
  return wins / (known.length * unknown.length);
}

/** Number of values, which rise, that lie before the first for which `isPast` holds. */
function countBefore(sorted: Float64Array, isPast: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isPast(sorted[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
