/**
 * How far pictures are from what a network was pretrained on, without the source data. Its batch norms remember the
 * mean β and the deviation |γ| that each channel had then; the distance of a layer is the mean over channels of
 * ((m − β)/γ)² + (s/|γ| − 1)², with m and s the mean and deviation that the target's pictures give that channel before
 * the activation. (Batch-norm statistics as a domain's fingerprint: Li et al. 2017, AdaBN.)
 */
import type { Backbone, ConvStep, DepthwiseStep, MapEngine, Step } from '../../backbone/index.ts';
import { inSinglePrecision } from '../../safetensors.ts';

export interface LayerDistance {
  readonly step: string;
  readonly distance: number;
}

export interface Similarity {
  /** Mean over layers. 0.1 for photos like the source's, 0.4 for textures. */
  readonly distance: number;
  /** From the shallowest layer to the deepest. */
  readonly layers: readonly LayerDistance[];
}

/** Channels that pretraining switched off have no scale to measure by. Share of the layer's root mean square γ. */
const SMALLEST_GAMMA = 0.05;

/** Joined to a step's name for its output before the activation. */
const SUFFIX = ' (before activation)';

type Normalised = (ConvStep | DepthwiseStep) & { readonly batchNorm: { gamma: string; beta: string } };

/**
 * The backbone with each normalised layer's output before its activation as a step of its own, for `measure`. Its
 * codes are the backbone's.
 */
export function withPreActivations(backbone: Backbone): Backbone {
  const shapes = new Map(backbone.shapes);
  const steps = backbone.plan.steps.flatMap((step): Step[] => {
    if (!isNormalised(step) || step.activation === 'none') return [step];
    const name = step.name + SUFFIX;
    shapes.set(name, shapes.get(step.name)!);
    return [step, { ...step, name, activation: 'none' }];
  });
  return { ...backbone, plan: { ...backbone.plan, steps }, shapes };
}

/** Whether the backbone has batch norms to measure by. */
export function isMeasurable({ plan }: Backbone): boolean {
  return plan.steps.some(isNormalised);
}

/** Sums up pictures' statistics layer by layer. */
export class SimilarityMeter {
  readonly #backbone: Backbone;
  readonly #engine: MapEngine;
  readonly #sums = new Map<string, { count: number; sum: Float64Array; squares: Float64Array }>();
  readonly #names: readonly string[];

  /** @param engine made from `withPreActivations(backbone)`. */
  constructor(backbone: Backbone, engine: MapEngine) {
    this.#backbone = backbone;
    this.#engine = engine;
    this.#names = backbone.plan.steps.filter(isNormalised).map(preActivationName);
  }

  /** @param pixels of one picture or a few. */
  add(pixels: Uint8Array): void {
    const { maps } = this.#engine.codesAndMaps(pixels, this.#names);
    for (const [name, map] of maps) this.#addMap(name, map);
  }

  /** @throws RangeError before any picture has been added. */
  result(): Similarity {
    if (this.#sums.size === 0) throw new RangeError('There is no picture to measure.');
    const layers = this.#backbone.plan.steps.filter(isNormalised).map((step) => {
      return { step: step.name, distance: this.#distance(step) };
    });
    const distance = layers.reduce((sum, layer) => sum + layer.distance, 0) / layers.length;
    return { distance, layers };
  }

  #addMap(name: string, map: Float32Array): void {
    const { channels } = this.#backbone.shapes.get(name.replace(SUFFIX, ''))!;
    let sums = this.#sums.get(name);
    if (sums === undefined) {
      sums = { count: 0, sum: new Float64Array(channels), squares: new Float64Array(channels) };
      this.#sums.set(name, sums);
    }
    const { sum, squares } = sums;
    for (let at = 0; at < map.length; at += channels) {
      for (let c = 0; c < channels; c++) {
        const value = map[at + c];
        sum[c] += value;
        squares[c] += value * value;
      }
    }
    sums.count += map.length / channels;
  }

  #distance(step: Normalised): number {
    const { count, sum, squares } = this.#sums.get(preActivationName(step))!;
    const gamma = inSinglePrecision(this.#backbone.tensors.get(step.batchNorm.gamma)!);
    const beta = inSinglePrecision(this.#backbone.tensors.get(step.batchNorm.beta)!);
    const size = Math.sqrt(gamma.reduce((total, value) => total + value * value, 0) / gamma.length);
    let total = 0;
    let counted = 0;
    for (let c = 0; c < gamma.length; c++) {
      const scale = Math.abs(gamma[c]);
      if (scale < SMALLEST_GAMMA * size) continue;
      const mean = sum[c] / count;
      const deviation = Math.sqrt(Math.max(0, squares[c] / count - mean * mean));
      total += ((mean - beta[c]) / scale) ** 2 + (deviation / scale - 1) ** 2;
      counted++;
    }
    return total / Math.max(1, counted);
  }
}

function isNormalised(step: Step): step is Normalised {
  return (step.op === 'conv' || step.op === 'depthwise') && step.batchNorm !== undefined;
}

function preActivationName(step: Normalised): string {
  return step.activation === 'none' ? step.name : step.name + SUFFIX;
}
