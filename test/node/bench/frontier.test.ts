/** Which points of accuracy against CPU time are worth their cost. */
import { expect, it } from 'vitest';
import { onFrontier, type Point } from '../../../bench/frontier.ts';

function point(name: string, mean: number, cpuMs: number): Point {
  return { name, accuracies: [mean], mean, cpuMs };
}

it('leaves out what is dearer and no more accurate', () => {
  const points = [point('a', 0.7, 1), point('b', 0.7, 2), point('c', 0.8, 3), point('d', 0.75, 4)];
  expect(onFrontier(points).map(({ name }) => name)).toEqual(['a', 'c']);
});

it('keeps what costs the same and is as accurate', () => {
  const points = [point('a', 0.7, 1), point('b', 0.7, 1)];
  expect(onFrontier(points)).toHaveLength(2);
});
