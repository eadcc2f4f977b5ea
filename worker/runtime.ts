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
import { loadBackbone, type Backbone, type Plan, type TailedEngine } from '../src/backbone/index.ts';
import { createImageDecoder, type ImageDecoder } from '../src/image/index.ts';
import { runtimeFinder, type AddedBackbone, type RuntimeOf } from './backbones.ts';
import { warmUp } from './warm-up.ts';

export interface Runtime {
  /** What codes and feature maps come from, and tails run on. */
  readonly engine: TailedEngine;
  readonly backbone: Backbone;
  /** Of the backbone: its identity, and the size that pictures are brought to. */
  readonly plan: Plan;
  readonly decoder: ImageDecoder;
  /** The runtime of the backbone that a head names; this one where it is made for no other that is here. */
  readonly of: RuntimeOf;
}

/** @param backbones those that heads may name besides the built-in one. */
export async function createRuntime(backbones: readonly AddedBackbone[]): Promise<Runtime> {
  const decoder = createImageDecoder({ jpeg, png, webp, resize });
  const create = (backbone: Backbone, of: RuntimeOf): Promise<Runtime> => {
    const engine = createEngine(backbone, simd, { name: env.HEADWATER_ENGINE });
    return Promise.resolve({ engine, backbone, plan: backbone.plan, decoder, of });
  };
  const of = runtimeFinder(backbones, () => builtIn, create);
  const builtIn = await create(loadBackbone(plan, new Uint8Array(weights)), of);
  return builtIn;
}

export const runtime = await createRuntime(added);
await warmUp(runtime);
