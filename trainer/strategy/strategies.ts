/** The ways to transfer, by name, and where in a backbone each of them cuts. */
import { cutAt, cutPlaces, WHOLE, type Plan, type MapShape } from '../../src/backbone/index.ts';

const LINEAR = ['linear-deep', 'linear-shallow', 'linear-all'] as const;
export const TUNED = ['fine-tune', 'full'] as const;

export type LinearStrategy = (typeof LINEAR)[number];
export type TunedStrategy = (typeof TUNED)[number];
export type Strategy = LinearStrategy | TunedStrategy;

/** Strategies that the user may name. */
export const STRATEGIES: readonly string[] = ['auto', ...LINEAR, ...TUNED];

export function isLinear(strategy: Strategy): strategy is LinearStrategy {
  return LINEAR.some((name) => name === strategy);
}

export function isStrategy(name: string): name is Strategy {
  return [...LINEAR, ...TUNED].some((strategy) => strategy === name);
}

/**
 * The step whose output a strategy's tail reads. `full` trains every block behind the first convolution, whose edges
 * and colours every picture shares. `fine-tune` leaves the blocks up to the first tap alone: it cuts between the first
 * tap and the second, where the map is smallest.
 */
export function cutFor(strategy: TunedStrategy, plan: Plan, shapes: ReadonlyMap<string, MapShape>): string {
  const places = cutPlaces(plan).filter((place) => place !== WHOLE);
  const order = plan.steps.map((step) => step.name);
  const ordered = places.toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
  // The last tap is what the loss looks at; behind every cut it must come.
  const deepest = plan.taps.at(-1)!;
  const usable = ordered.filter((place) => cutAt(plan, place).tailTaps.includes(deepest));
  if (usable.length === 0) return WHOLE;
  if (strategy === 'full') return usable[0];
  const [first, second] = plan.taps.map((tap) => order.indexOf(tap.step));
  const between = usable.filter((place) => {
    const index = order.indexOf(place);
    return index >= first && (second === undefined || index < second);
  });
  const candidates = between.length > 0 ? between : usable;
  return candidates.reduce((best, place) => (size(shapes, place) < size(shapes, best) ? place : best));
}

function size(shapes: ReadonlyMap<string, MapShape>, step: string): number {
  const { height, width, channels } = shapes.get(step)!;
  return height * width * channels;
}
