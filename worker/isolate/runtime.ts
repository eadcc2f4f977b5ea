/**
 * The classifier of this Worker, made once when the isolate starts: the backbone's weights travel in the bundle, so that
 * a first request pays for neither storage nor set-up.
 */
import jpeg from '../../build/wasm/jpeg.wasm?module';
import webp from '../../build/wasm/webp.wasm?module';
import { env } from 'cloudflare:workers';
import { embedded } from '../../build/backbones/index.ts';
import simd from '../../build/wasm/engine-relaxed.wasm?module';
import png from '../../build/wasm/png.wasm?module';
import resize from '../../build/wasm/resize.wasm?module';
import { createEngine, engineFor, type EngineName } from '../../src/backbone/choose.ts';
import { DEFAULT_BACKBONE, DEFAULT_INPUT } from '../../src/backbone/defaults.ts';
import { backboneAt, type Backbone } from '../../src/backbone/index.ts';
import { multiplyAdds } from '../../src/backbone/multiply-adds.ts';
import type { PictureInput } from '../../src/head/index.ts';
import { defaultInput } from '../../src/head/picture-input.ts';
import { createImageDecoder } from '../../src/image/index.ts';
import { engineAt, runtimeFinder, type EmbeddedBackbone, type Runtime } from './backbones.ts';
import { MULTIPLY_ADD_PS } from '../limits.ts';
import { warmUp } from './warm-up.ts';

/** What new heads read. */
export interface Defaults {
  /** The name of a plan. */
  readonly backbone: string;
  readonly input: PictureInput;
}

/**
 * @param more backbones that heads may name besides the embedded ones.
 * @returns the runtime of the default backbone at the default input.
 * @throws Error when the default backbone is not there.
 */
export async function createRuntime(
  more: readonly EmbeddedBackbone[] = [],
  defaults: Defaults = { backbone: DEFAULT_BACKBONE, input: DEFAULT_INPUT },
): Promise<Runtime> {
  const decoder = createImageDecoder({ jpeg, png, webp, resize });
  const finder = runtimeFinder([...embedded, ...more], {
    create: (backbone) => {
      const { plan: own } = backbone;
      const size = defaultInput(own);
      const engine = createEngine(backbone, simd, { name: engineIn(backbone), size });
      return { ...finder, ...shownAt(backbone, { ...own.input, rules: 1 }), engine, plan: own, decoder };
    },
    resize: (own, backbone, input) => ({
      ...own,
      ...shownAt(backbone, input),
      engine: engineAt(own.engine, input),
    }),
    fallback: () => usual,
  });
  const found = await finder.named(defaults.backbone, defaults.input);
  if (found === undefined) throw new Error(`There is no backbone ${defaults.backbone}.`);
  const usual: Runtime = found;
  return usual;
}

const engineIn = (backbone: Backbone): EngineName => engineFor(backbone, env.HEADWATER_ENGINE);

function shownAt(
  backbone: Backbone,
  { height, width, rules }: PictureInput,
): Pick<Runtime, 'input' | 'backbone' | 'workNs'> {
  const sized = backboneAt(backbone, { height, width });
  const workNs = (multiplyAdds(sized) * MULTIPLY_ADD_PS[engineIn(backbone)]) / 1000;
  return { input: { height, width, rules }, backbone: sized, workNs };
}

export const runtime = await createRuntime();
await warmUp(runtime);
