/**
 * Goes through a network as the 8-bit engine does, in floats: a map holds whole numbers, its codes less their zero point,
 * which are rounded and clipped where the engine rounds and clips. docs/engine.md writes the arithmetic down.
 */
import type { AddStep, MeanStep, Statistic, Step } from '../backbone/index.ts';
import type { Codes } from '../backbone/simd/integer/codes.ts';
import type { IntegerStep } from '../backbone/simd/integer/constants.ts';
import { type Convolution, depthwiseInFloats, sumsInFloats } from '../backbone/simd/integer/in-floats.ts';
import type { IntegerPlan, Weighted } from '../backbone/simd/integer/plan.ts';
import type { Bounds, FloatTarget } from './float-target.ts';
import type { Network } from './network.ts';
import { Walk, writeBackbone } from './walk.ts';

/**
 * Writes a network as the Worker computes it: in floats, or as if on 8 bits.
 * @returns the name of the value that holds the codes, [n, D].
 * @throws HeadwaterError `backbone_invalid` as the 8-bit engine.
 */
export function writeNetwork(network: Network, target: FloatTarget): string {
  const { backbone, integers } = network;
  return integers === undefined
    ? writeBackbone(backbone, target)
    : new RoundingWalk(network, integers, target).write();
}

/** Steps that are not of the integers' plan, those of a tail, are in floats. */
class RoundingWalk extends Walk<FloatTarget> {
  readonly #integers: IntegerPlan;

  constructor({ backbone }: Network, integers: IntegerPlan, target: FloatTarget) {
    super(backbone, target);
    this.#integers = integers;
  }

  protected override step(step: Step): void {
    if (!this.#integers.has(step.name)) return super.step(step);
    switch (step.op) {
      case 'conv':
      case 'depthwise':
      case 'dense':
        return this.#weighted(step);
      case 'add':
        return this.#add(step);
      case 'mean':
        return this.#mean(step);
      case 'squeeze-excite':
        throw new Error('IntegerPlan lets none through');
    }
  }

  /** In numbers, for what is not on integers. */
  protected override value(step: string): string {
    if (!this.#integers.has(step)) return super.value(step);
    return this.once(`${step}/numbers`, (name) => this.#scale(name, step, this.#integers.codes(step).unit));
  }

  protected override statistic(step: string, statistic: Statistic): string {
    if (!this.#integers.has(step)) return super.statistic(step, statistic);
    return this.once(`${step}/${statistic}`, (name) =>
      this.#scale(name, this.#rawStatistic(step, statistic), this.#integers.codes(step).unit),
    );
  }

  /** In units. */
  #rawStatistic(step: string, statistic: Statistic): string {
    return this.once(`${step}/${statistic}/codes`, (name) => {
      if (statistic === 'mean') this.target.mean(name, step);
      else this.target.deviation(name, step, this.#rawStatistic(step, 'mean'));
    });
  }

  #mean({ name, input }: MeanStep): void {
    const { unit, zero, top } = this.#integers.codes(name);
    const raw = this.#rawStatistic(input, 'mean');
    this.#scale(`${name}/sums`, raw, this.#integers.codes(input).unit / unit);
    this.target.rounded(name, `${name}/sums`, [-zero, top - zero], 'nearest');
  }

  #weighted(step: Weighted): void {
    const { name } = step;
    const add = this.#integers.fusedAdds.get(name);
    // The add rounds the sums of both.
    if (add !== undefined) return this.#sums(step, name, this.#integers.layerWithAdd(step, add).layer);
    const layer = this.#integers.layer(step);
    const { input, output } = layer.ends;
    const sums = `${name}/sums`;
    if (step.op !== 'depthwise' || input.bits === 16) {
      this.#sums(step, sums, layer);
      return this.#round(name, sums, output, layer.bounds);
    }
    this.#convolution(step, sums, layer, depthwiseInFloats(layer));
    const [low, high] = layer.bounds;
    this.target.rounded(name, sums, [low - output.zero, high - output.zero], 'down');
  }

  /** In units of the output. */
  #sums(step: Weighted, name: string, layer: IntegerStep): void {
    const { parts, factors } = sumsInFloats(layer);
    const [sum, rest] = parts.map((part, i) => {
      const own = `${name}/${['whole', 'rest'][i]}`;
      this.#convolution(step, own, layer, part);
      return this.target.apart(own);
    });
    if (rest !== undefined) this.target.add(`${name}/both`, sum, rest);
    this.target.scaled(name, rest === undefined ? sum : `${name}/both`, factors);
  }

  #convolution(step: Weighted, name: string, { filter }: IntegerStep, { weights, bias }: Convolution): void {
    this.convolution({ ...step, name }, { ...filter, activation: 'none' }, weights, bias);
  }

  #add({ name, input, other }: AddStep): void {
    const output = this.#integers.codes(name);
    const isFused = (step: string): boolean => this.#integers.fusedAdds.get(step)?.name === name;
    const withConvolution = isFused(input) || isFused(other);
    const addend = (step: string, role: string): string => {
      if (isFused(step)) return step;
      const { unit, zero } = this.#integers.codes(step);
      const [codes, scaled] = [`${name}/${role}/codes`, `${name}/${role}`];
      // The convolution's sums begin with what takes the zero point off.
      if (withConvolution) this.target.shifted(codes, step, zero);
      this.#scale(scaled, withConvolution ? codes : step, unit / output.unit);
      return scaled;
    };
    this.target.add(`${name}/sums`, addend(input, 'input'), addend(other, 'other'));
    this.#round(name, `${name}/sums`, output, [0, output.top]);
  }

  /**
   * Of two codes as near, the even one: where the zero point is odd, that is the odd distance from it. The addition drops the
   * last bit of sums just below a power of two, so that a number in many millions is rounded the other way.
   */
  #round(name: string, sums: string, { zero }: Codes, [low, high]: Bounds): void {
    const odd = zero % 2;
    const bounds = [low - zero + odd, high - zero + odd] as const;
    if (odd === 0) return this.target.rounded(name, sums, bounds, 'nearest');
    const [raised, rounded] = [`${name}/raised`, `${name}/rounded`];
    this.target.shifted(raised, sums, odd);
    this.target.rounded(rounded, raised, bounds, 'nearest');
    this.target.shifted(name, rounded, -odd);
  }

  #scale(name: string, input: string, factor: number): void {
    this.target.scaled(name, input, Float32Array.of(factor));
  }
}
