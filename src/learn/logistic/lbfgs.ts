/**
 * L-BFGS: minimises a smooth function of many variables from its values and gradients alone (Nocedal & Wright 2006,
 * Numerical Optimization, algorithms 7.4 and 7.5, with the strong Wolfe line search of algorithms 3.5 and 3.6). No
 * chance and no clock: the same function and start give the same path, bit for bit.
 */

/** Value at x; writes the gradient there. May be awaited, since a value can take a walk through all the data. */
export type Objective = (x: Float64Array, gradient: Float64Array) => Promise<number>;

export const LBFGS_DEFAULTS = {
  /** Pairs of steps and gradient changes that stand for the curvature; each takes two vectors of memory. */
  memory: 10,
  maxIterations: 300,
  /** Converged where no entry of the gradient is larger. */
  gradientTolerance: 1e-6,
  /** Converged where an iteration lowers the value by a smaller share of it. */
  valueTolerance: 1e-9,
};
export type LbfgsOptions = Readonly<typeof LBFGS_DEFAULTS>;

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False where the iterations ran out. */
  readonly converged: boolean;
}

/** Sufficient decrease and curvature of the strong Wolfe conditions, the usual choice for quasi-Newton methods. */
const WOLFE = { decrease: 1e-4, curvature: 0.9 };
const MAX_TRIALS = 25;
const LONGEST_STEP = 1e4;

interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A trial along the line: its step, value and slope. */
interface Trial {
  readonly step: number;
  readonly slope: number;
  readonly point: Point;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly inverse: number;
}

/** @param start left as it is. */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  options: LbfgsOptions = LBFGS_DEFAULTS,
): Promise<Minimum> {
  let here = await at(objective, start.slice());
  const pairs: Pair[] = [];
  const done = (iterations: number, converged = true): Minimum => {
    return { x: here.x, value: here.value, iterations, converged };
  };
  for (let iteration = 0; iteration < options.maxIterations; iteration++) {
    if (largest(here.gradient) <= options.gradientTolerance) return done(iteration);
    const direction = descent(here.gradient, pairs);
    const first = pairs.length === 0 ? Math.min(1, 1 / norm(here.gradient)) : 1;
    const next = await search(objective, here, direction, first);
    // Rounding hides any further decrease.
    if (next === undefined) return done(iteration);
    remember(pairs, here, next, options.memory);
    const gain = here.value - next.value;
    here = next;
    if (gain <= options.valueTolerance * Math.max(Math.abs(here.value), 1e-12)) return done(iteration + 1);
  }
  return done(options.maxIterations, false);
}

async function at(objective: Objective, x: Float64Array): Promise<Point> {
  const gradient = new Float64Array(x.length);
  return { x, value: await objective(x, gradient), gradient };
}

/** −H·g by the two-loop recursion, H the inverse Hessian that the pairs imply. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const shares: number[] = [];
  for (const { step, change, inverse } of pairs.toReversed()) {
    const share = inverse * inner(step, direction);
    shares.push(share);
    addScaled(direction, change, -share);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.inverse * inner(last.change, last.change));
    for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  }
  for (const { step, change, inverse } of pairs) {
    addScaled(direction, step, shares.pop()! - inverse * inner(change, direction));
  }
  return direction;
}

function remember(pairs: Pair[], from: Point, to: Point, memory: number): void {
  const step = to.x.map((value, i) => value - from.x[i]);
  const change = to.gradient.map((value, i) => value - from.gradient[i]);
  const curvature = inner(step, change);
  // The Wolfe conditions make it positive but for rounding.
  if (curvature <= 1e-14 * inner(change, change)) return;
  pairs.push({ step, change, inverse: 1 / curvature });
  if (pairs.length > memory) pairs.shift();
}

/** A point along the direction that satisfies the strong Wolfe conditions; undefined where none lies lower. */
async function search(
  objective: Objective,
  from: Point,
  direction: Float64Array,
  first: number,
): Promise<Point | undefined> {
  const slope = inner(from.gradient, direction);
  if (slope >= 0) return undefined;
  const start: Trial = { step: 0, slope, point: from };
  const attempt = async (step: number): Promise<Trial> => {
    const x = from.x.slice();
    addScaled(x, direction, step);
    const point = await at(objective, x);
    return { step, slope: inner(point.gradient, direction), point };
  };
  let before = start;
  for (let trial = 0, step = first; trial < MAX_TRIALS && step <= LONGEST_STEP; trial++, step *= 2) {
    const here = await attempt(step);
    const rises = trial > 0 && here.point.value >= before.point.value;
    if (rises || !decreases(start, here)) return zoom(attempt, start, before, here);
    if (isFlat(start, here)) return here.point;
    if (here.slope >= 0) return zoom(attempt, start, here, before);
    before = here;
  }
  return before === start ? undefined : before.point;
}

/** Narrows the interval between two trials, `low` the one with the least value that decreases enough. */
async function zoom(
  attempt: (step: number) => Promise<Trial>,
  start: Trial,
  low: Trial,
  high: Trial,
): Promise<Point | undefined> {
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    const here = await attempt(between(low, high));
    if (!decreases(start, here) || here.point.value >= low.point.value) {
      high = here;
    } else {
      if (isFlat(start, here)) return here.point;
      if (here.slope * (high.step - low.step) >= 0) high = low;
      low = here;
    }
  }
  return low.step > 0 && low.point.value < start.point.value ? low.point : undefined;
}

function decreases(start: Trial, { step, point }: Trial): boolean {
  return point.value <= start.point.value + WOLFE.decrease * step * start.slope;
}

function isFlat(start: Trial, { slope }: Trial): boolean {
  return Math.abs(slope) <= WOLFE.curvature * Math.abs(start.slope);
}

/** Where the cubic through both values and slopes is least (Nocedal & Wright 3.59), kept away from the ends. */
function between(low: Trial, high: Trial): number {
  const width = high.step - low.step;
  const d1 = low.slope + high.slope - (3 * (low.point.value - high.point.value)) / (low.step - high.step);
  const square = d1 * d1 - low.slope * high.slope;
  const d2 = Math.sign(width) * Math.sqrt(Math.max(square, 0));
  const cubic = high.step - (width * (high.slope + d2 - d1)) / (high.slope - low.slope + 2 * d2);
  const [near, far] = [low.step + 0.1 * width, low.step + 0.9 * width];
  const inside = (cubic - near) * (cubic - far) <= 0;
  return square >= 0 && inside ? cubic : low.step + 0.5 * width;
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(out: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < out.length; i++) out[i] += factor * values[i];
}

function norm(values: Float64Array): number {
  return Math.sqrt(inner(values, values));
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
