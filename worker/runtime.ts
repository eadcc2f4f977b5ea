/**
 * The classifier of this Worker, made once when the isolate starts: the backbone's weights travel in the bundle, so that
 * a first request pays for neither storage nor set-up.
 */
import jpeg from '@cwasm/jpeg-turbo/jpeg-turbo.wasm?module';
import webp from '@jsquash/webp/codec/dec/webp_dec.wasm?module';
import { env } from 'cloudflare:workers';
import plan from '../build/backbone/plan.json';
import weights from '../build/backbone/weights.safetensors';
import { added } from '../build/backbones/index.ts';
import simd from '../build/wasm/engine-relaxed.wasm?module';
import png from '../build/wasm/png.wasm?module';
import resize from '../build/wasm/resize.wasm?module';
import { createEngine } from '../src/backbone/choose.ts';
import { DEFAULT_BACKBONE, DEFAULT_INPUT } from '../src/backbone/defaults.ts';
import { backboneAt, type Backbone, type Plan, type TailedEngine } from '../src/backbone/index.ts';
import { multiplyAdds } from '../src/backbone/multiply-adds.ts';
import type { PictureInput } from '../src/head/index.ts';
import { createImageDecoder, type ImageDecoder } from '../src/image/index.ts';
import { engineAt, runtimeFinder, type EmbeddedBackbone, type RuntimeFinder } from './backbones.ts';
import { MULTIPLY_ADD_PS } from './limits.ts';
import { warmUp } from './warm-up.ts';

/** A backbone, and how pictures reach it: what makes codes of one space. */
export interface Runtime extends RuntimeFinder {
  /** What codes and feature maps come from, and tails run on, at the input's size. */
  readonly engine: TailedEngine;
  /** At that size. */
  readonly backbone: Backbone;
  /** Of the backbone, in its own size. */
  readonly plan: Plan;
  /** What pictures are brought to. */
  readonly input: PictureInput;
  /** What showing it one picture takes, as RequestWork counts. */
  readonly workNs: number;
  readonly decoder: ImageDecoder;
}

/** What new heads read. */
export interface Defaults {
  /** The name of a plan. */
  readonly backbone: string;
  readonly input: PictureInput;
}

/**
 * @param backbones those that heads may name besides the built-in one.
 * @returns the runtime of the default backbone at the default input; of the built-in one at its own size, where the
 *   default is not there.
 */
export async function createRuntime(
  backbones: readonly EmbeddedBackbone[],
  defaults: Defaults = { backbone: DEFAULT_BACKBONE, input: DEFAULT_INPUT },
): Promise<Runtime> {
  const decoder = createImageDecoder({ jpeg, png, webp, resize });
  const builtIn: EmbeddedBackbone = { weightsSha256: plan.weightsSha256, plan, weights };
  const finder = runtimeFinder([builtIn, ...backbones], {
    create: (backbone) => {
      const engine = createEngine(backbone, simd, { name: env.HEADWATER_ENGINE });
      const { plan: own } = backbone;
      return { ...finder, ...shownAt(backbone, { ...own.input, rules: 1 }), engine, plan: own, decoder };
    },
    resize: (own, backbone, input) => ({
      ...own,
      ...shownAt(backbone, input),
      engine: engineAt(own.engine, input),
    }),
    fallback: () => usual,
  });
  const usual =
    (await finder.named(defaults.backbone, defaults.input)) ?? (await finder.of({ backbone: plan }));
  return usual;
}

function shownAt(
  backbone: Backbone,
  { height, width, rules }: PictureInput,
): Pick<Runtime, 'input' | 'backbone' | 'workNs'> {
  const sized = backboneAt(backbone, { height, width });
  const workNs = (multiplyAdds(sized) * MULTIPLY_ADD_PS) / 1000;
  return { input: { height, width, rules }, backbone: sized, workNs };
}

export const runtime = await createRuntime(added);
await warmUp(runtime);
