/**
 * Turns symbolic values into a plan's steps: affine maps before an activation go into the layer above, those after it
 * into the layers below, and the input's normalisation into the first convolution, whose padding becomes the pixel that
 * normalises to zero. What cannot be folded becomes a 1×1 depthwise step, so that the plan computes what the model did.
 */
import type { Activation, Step } from '../../src/backbone/plan.ts';
import { invalid, unsupported } from './model-error.ts';
import {
  compose,
  identity,
  isIdentity,
  nameOf,
  NO_PADDING,
  type Affine,
  type Bend,
  type Linear,
  type SqueezeExcite,
  type Value,
} from './symbolic.ts';
import type { ModelTensor } from './weights.ts';

/** A step whose output still wants an affine map. */
interface Emitted {
  readonly step: string;
  readonly rest: Affine;
}

/** A layer's weights with everything folded in. */
interface Folded {
  readonly weights: Float32Array;
  readonly bias: Float64Array;
}

export class PlanEmitter {
  readonly steps: Step[] = [];
  readonly tensors = new Map<string, ModelTensor>();
  #padValue: number[] | undefined;
  /** By the two maps that, with the root, make a value; values share them however they were padded. */
  readonly #emitted = new Map<Affine, Map<Bend, Emitted>>();
  readonly #scaledSteps = new Map<string, { readonly map: Affine; readonly step: string }[]>();
  readonly #names = new Set<string>(['input']);

  /** What padding around the picture holds; zero where no layer pads it. */
  padValue(channels: number): number[] {
    return this.#padValue ?? Array.from({ length: channels }, () => 0);
  }

  /** @returns the step whose output is the value. */
  exact(value: Value): string {
    const { step, rest } = this.#loose(value);
    return isIdentity(rest) ? step : this.#scaled(step, rest, nameOf(value));
  }

  /** @returns the step, and the map that makes its output the value. */
  #loose(value: Value): Emitted {
    const { step, rest } = this.#bent(value);
    return { step, rest: compose(rest, value.after) };
  }

  #bent(value: Value): Emitted {
    const bends = this.#emitted.get(value.before) ?? new Map<Bend, Emitted>();
    this.#emitted.set(value.before, bends);
    const emitted = bends.get(value.bend) ?? this.#emit(value);
    bends.set(value.bend, emitted);
    return emitted;
  }

  #emit(value: Value): Emitted {
    const { root } = value;
    switch (root.op) {
      case 'conv':
      case 'depthwise':
      case 'dense':
        return this.#layer(root, value);
      case 'input':
        return this.#bend('input', value.before, value);
      case 'value':
      case 'mean': {
        const { step: input, rest } = this.#loose(root.input);
        let step = input;
        if (root.op === 'mean') {
          step = this.#name(root.name);
          this.steps.push({ op: 'mean', name: step, input });
        }
        return this.#bend(step, compose(rest, value.before), value);
      }
      case 'add': {
        const [input, other] = [this.exact(root.a), this.exact(root.b)];
        const name = this.#name(root.name);
        this.steps.push({ op: 'add', name, input, other });
        return this.#bend(name, value.before, value);
      }
      case 'squeeze-excite':
        return this.#bend(this.#squeezeExcite(root), value.before, value);
    }
  }

  /** An activation that follows no layer takes a 1×1 depthwise step. */
  #bend(step: string, before: Affine, { bend, root, shape }: Value): Emitted {
    if (bend.kind === 'none') return { step, rest: before };
    const { activation, before: shifted, after } = bendToActivation(bend, before);
    const name = `${root.op === 'input' ? 'input' : root.name}/activated`;
    return { step: this.#depthwisePixel(name, step, shifted, activation, shape.channels), rest: after };
  }

  #layer(layer: Linear, value: Value): Emitted {
    const { activation, before, after } = bendToActivation(value.bend, value.before);
    const input = this.#layerInput(layer);
    const folded = foldAfter(foldBefore(layer, input.rest), layer, before);
    this.#write(layer, input.step, folded, activation, value);
    return { step: this.steps[this.steps.length - 1].name, rest: after };
  }

  /** The layer's input. Padding with zeros forbids to fold a shift, except around the picture. */
  #layerInput({ input, padding }: Linear): Emitted {
    const emitted = this.#loose(input);
    const { step, rest } = emitted;
    if (padding.every((side) => side === 0) || rest.shift.every((shift) => shift === 0)) return emitted;
    if (step !== 'input') return { step: this.exact(input), rest: identity(rest.scale.length) };
    const padValue = Array.from(rest.scale, (scale, c) => -rest.shift[c] / scale);
    if (!padValue.every((pixel) => Number.isFinite(pixel))) throw invalid('its input is scaled by zero');
    if (this.#padValue !== undefined && this.#padValue.join() !== padValue.join()) {
      throw unsupported('two layers pad the picture after different normalisations');
    }
    this.#padValue = padValue;
    return emitted;
  }

  #write(
    layer: Linear,
    input: string,
    { weights, bias }: Folded,
    activation: Activation,
    { batchNorm }: Value,
  ): void {
    const name = this.#name(layer.name);
    const common = {
      name,
      input,
      weights: this.#tensor(`${name}/weights`, layer.shape, weights),
      bias: this.#vector(`${name}/bias`, bias),
      activation,
    };
    if (layer.op === 'dense') {
      this.steps.push({ op: 'dense', ...common });
      return;
    }
    const norm = batchNorm && {
      batchNorm: {
        gamma: this.#vector(`${name}/gamma`, batchNorm.gamma),
        beta: this.#vector(`${name}/beta`, batchNorm.beta),
      },
    };
    this.steps.push({ op: layer.op, ...common, stride: layer.stride, padding: layer.padding, ...norm });
  }

  #squeezeExcite({ name: wanted, input, reduce, expand }: SqueezeExcite): string {
    const x = this.exact(input);
    const name = this.#name(wanted);
    const [reduced, expanded] = [reduce, expand].map(({ root, before }) => {
      if (root.op !== 'dense' && root.op !== 'conv')
        throw new TypeError('Squeeze-and-excitation has two layers.');
      return {
        ...foldAfter({ weights: root.weights, bias: new Float64Array(before.shift.length) }, root, before),
        shape: root.shape.slice(-2),
      };
    });
    this.steps.push({
      op: 'squeeze-excite',
      name,
      input: x,
      reduceWeights: this.#tensor(`${name}/reduce/weights`, reduced.shape, reduced.weights),
      reduceBias: this.#vector(`${name}/reduce/bias`, reduced.bias),
      expandWeights: this.#tensor(`${name}/expand/weights`, expanded.shape, expanded.weights),
      expandBias: this.#vector(`${name}/expand/bias`, expanded.bias),
    });
    return name;
  }

  #scaled(step: string, map: Affine, name: string): string {
    const made = this.#scaledSteps.get(step) ?? [];
    const known = made.find((each) => isIdentity(difference(each.map, map)));
    if (known !== undefined) return known.step;
    const scaled = this.#depthwisePixel(`${name}/scaled`, step, map, 'none', map.scale.length);
    this.#scaledSteps.set(step, [...made, { map, step: scaled }]);
    return scaled;
  }

  #depthwisePixel(
    wanted: string,
    input: string,
    map: Affine,
    activation: Activation,
    channels: number,
  ): string {
    const name = this.#name(wanted);
    const weights = this.#tensor(`${name}/weights`, [1, 1, channels], Float32Array.from(map.scale));
    const bias = this.#vector(`${name}/bias`, map.shift);
    const common = { name, input, weights, bias, activation };
    this.steps.push({ op: 'depthwise', ...common, stride: 1, padding: NO_PADDING });
    return name;
  }

  #tensor(name: string, shape: readonly number[], values: Float32Array): string {
    if (!values.every(Number.isFinite)) throw invalid(`folding makes '${name}' overflow`);
    this.tensors.set(name, { shape, values });
    return name;
  }

  #vector(name: string, values: ArrayLike<number>): string {
    return this.#tensor(name, [values.length], Float32Array.from(values));
  }

  #name(wanted: string): string {
    const short = wanted.length > MAX_STEP_NAME ? wanted.slice(-MAX_STEP_NAME) : wanted;
    let name = short;
    for (let n = 2; this.#names.has(name); n++) name = `${short}~${n}`;
    this.#names.add(name);
    return name;
  }
}

/** Leaves room for the suffixes of tensors' names within what a plan allows. */
const MAX_STEP_NAME = 100;

/** The identity when both maps are the same. */
function difference(a: Affine, b: Affine): Affine {
  return {
    scale: a.scale.map((scale, c) => (scale === b.scale[c] ? 1 : 0)),
    shift: a.shift.map((shift, c) => shift - b.shift[c]),
  };
}

/** Layer of `map(x)`: weights times the scale of the channel they read, and what the shift adds to every output. */
function foldBefore(layer: Linear, map: Affine): Folded {
  const outs = layer.shape[layer.shape.length - 1];
  const ins = map.scale.length;
  const weights = new Float32Array(layer.weights.length);
  const bias = new Float64Array(outs);
  for (let at = 0; at < weights.length; at++) {
    const out = at % outs;
    const channel = layer.op === 'depthwise' ? out : Math.floor(at / outs) % ins;
    weights[at] = layer.weights[at] * map.scale[channel];
    bias[out] += layer.weights[at] * map.shift[channel];
  }
  return { weights, bias };
}

/** map(layer(x)): in every kind of layer the last index is the output's channel. */
function foldAfter({ weights, bias }: Folded, { shape }: Linear, map: Affine): Folded {
  const outs = shape[shape.length - 1];
  return {
    weights: weights.map((weight, at) => weight * map.scale[at % outs]),
    bias: bias.map((value, out) => value * map.scale[out] + map.shift[out]),
  };
}

/** Writes bend(before(x)) as after(activation(before'(x))) with an activation that plans have. */
function bendToActivation(
  bend: Bend,
  before: Affine,
): { activation: Activation; before: Affine; after: Affine } {
  const none = identity(before.scale.length);
  if (bend.kind === 'none') return { activation: 'none', before, after: none };
  if (bend.kind === 'hard-swish') return { activation: 'hard-swish', before, after: none };
  const { low, high } = bend;
  if (!(low < high) || low === -Infinity) throw unsupported(`an activation clips to [${low}, ${high}]`);
  // clip(x, low, high) = relu6((x − low)·6/(high − low))·(high − low)/6 + low, and the same with ReLU where high is ∞.
  const stretch = high === Infinity ? 1 : 6 / (high - low);
  const fill = (value: number): Float64Array => new Float64Array(before.scale.length).fill(value);
  return {
    activation: high === Infinity ? 'relu' : 'relu6',
    before: compose(before, { scale: fill(stretch), shift: fill(-low * stretch) }),
    after: { scale: fill(1 / stretch), shift: fill(low) },
  };
}
