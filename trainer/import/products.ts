/** The products of two maps that occur in MobileNets, recognised however they are written. */
import { unsupported } from './model-error.ts';
import {
  bare,
  identity,
  isIdentity,
  isPixel,
  NONE,
  valueOf,
  type Linear,
  type Root,
  type Value,
} from './symbolic.ts';

/** Models write 1/6 in single precision or as 0.16667. */
const TOLERANCE = 1e-4;

/** The products that occur in MobileNets: x · hard-sigmoid(x), which is hard-swish, and squeeze-and-excitation. */
export function multiply(name: string, a: Value, b: Value): Value {
  const product =
    hardSwish(a, b) ?? hardSwish(b, a) ?? squeezeExcite(name, a, b) ?? squeezeExcite(name, b, a);
  if (product === undefined) {
    throw unsupported(
      `'${name}' multiplies two maps in a way that is neither hard-swish nor squeeze-and-excitation`,
    );
  }
  return product;
}

/** With v = before(root): k·(v − 3) times p·clip(v, 0, 6) is 6·k·p·hard-swish(v − 3). */
function hardSwish(x: Value, gate: Value): Value | undefined {
  if (x.root !== gate.root || x.bend.kind !== 'none' || gate.bend.kind !== 'clip') return undefined;
  const { low, high } = gate.bend;
  if (!near(low, 0) || !near(high, 6) || !gate.after.shift.every((shift) => near(shift, 0))) return undefined;
  const inner = { scale: gate.before.scale, shift: gate.before.shift.map((shift) => shift - 3) };
  const k = x.before.scale[0] / inner.scale[0];
  const matches = inner.scale.every(
    (scale, c) => near(x.before.scale[c], k * scale) && near(x.before.shift[c], k * inner.shift[c]),
  );
  if (!matches) return undefined;
  const after = {
    scale: gate.after.scale.map((p) => exactSixth(6 * k * p)),
    shift: new Float64Array(x.shape.channels),
  };
  return { ...x, before: inner, bend: { kind: 'hard-swish' }, after };
}

/** x · hard-sigmoid(expand(relu(reduce(mean(x))))) (Hu et al. 2018; Howard et al. 2019). */
function squeezeExcite(name: string, x: Value, gate: Value): Value | undefined {
  if (!isPointwise(gate.root) || gate.bend.kind !== 'clip') return undefined;
  const { low, high } = gate.bend;
  const { scale, shift } = gate.after;
  if (low !== 0 || !scale.every((s) => near(s, 1 / high)) || !shift.every((s) => near(s, 0)))
    return undefined;
  const squeezed = gate.root.input;
  const isRelu = squeezed.bend.kind === 'clip' && squeezed.bend.low === 0 && squeezed.bend.high === Infinity;
  if (!isPointwise(squeezed.root) || !isRelu || !isIdentity(squeezed.after)) return undefined;
  const averaged = squeezed.root.input;
  if (
    averaged.root.op !== 'mean' ||
    averaged.root.input !== x ||
    !isIdentity(averaged.before) ||
    averaged.bend.kind !== 'none'
  ) {
    return undefined;
  }
  // clip(v, 0, high) / high = hard-sigmoid(6·v/high − 3)
  const expand = {
    ...bare(gate),
    after: identity(gate.shape.channels),
    bend: NONE,
    before: {
      scale: gate.before.scale.map((s) => (6 * s) / high),
      shift: gate.before.shift.map((s) => (6 * s) / high - 3),
    },
  };
  return valueOf({ op: 'squeeze-excite', name, input: x, reduce: squeezed, expand }, x.shape);
}

function isPointwise(root: Root): root is Linear {
  return (root.op === 'dense' || root.op === 'conv') && isPixel(root.input);
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

/** A factor that was meant to be 1 and lost some digits in 1/6. */
function exactSixth(value: number): number {
  return near(value, 1) && Math.abs(value - 1) < 1e-6 ? 1 : value;
}
