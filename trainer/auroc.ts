/** Area under the receiver operating characteristic, by ranks (Mann & Whitney 1947). */

/**
 * @returns the probability that a positive scores higher than a negative, ties counting half; NaN when either is empty.
 */
export function areaUnderRoc(negatives: Float64Array, positives: Float64Array): number {
  const sorted = negatives.toSorted();
  let wins = 0;
  for (const score of positives)
    wins += (countBelow(sorted, score, false) + countBelow(sorted, score, true)) / 2;
  return wins / (negatives.length * positives.length);
}

/** How many of the sorted values are below the score, or equal to it if those count. */
function countBelow(sorted: Float64Array, score: number, equalCounts: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < score || (equalCounts && sorted[middle] === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
