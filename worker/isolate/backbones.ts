/**
 * The backbones of a deployment, each at every size that heads use. A backbone is made when the first head that names
 * it is loaded, and stays: the build ensures that all of them together fit. Its sizes share one engine.
 */
import {
  allowsSize,
  loadBackbone,
  type Backbone,
  type Plan,
  type Size,
  type TailedEngine,
} from '../../src/backbone/index.ts';
import type { BackboneIdentity, PictureInput } from '../../src/head/index.ts';
import type { ImageDecoder } from '../../src/image/index.ts';

export interface EmbeddedBackbone {
  readonly weightsSha256: string;
  /** The parsed plan file. */
  readonly plan: unknown;
  readonly weights: ArrayBuffer;
}

/** What of a head, or of the origin of codes, says which runtime it needs. */
export interface RuntimeWish {
  readonly backbone: BackboneIdentity;
  /** The backbone's own size by rules 1 where absent. */
  readonly input?: PictureInput | undefined;
}

/** Finds the runtime that a head needs. */
export type RuntimeOf = (wish: RuntimeWish) => Promise<Runtime>;

/** Finds a runtime by the plan's name, or undefined: at the backbone's own size where no input is given. */
export type RuntimeNamed = (name: string, input?: PictureInput) => Promise<Runtime | undefined>;

export interface RuntimeFinder {
  readonly of: RuntimeOf;
  readonly named: RuntimeNamed;
  /** Of the plans. */
  readonly names: readonly string[];
}

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

/** A backbone's runtimes by input; `own` is the one at its own size. */
interface Made {
  readonly backbone: Backbone;
  readonly own: Runtime;
  readonly byInput: Map<string, Runtime>;
}

export interface RuntimeMaker {
  /** Makes a backbone's runtime at its own size. */
  create(backbone: Backbone): Runtime;
  /** The same runtime for another input. */
  resize(own: Runtime, backbone: Backbone, input: PictureInput): Runtime;
  /**
   * What a wish gets that names none of the backbones. Like a backbone that is not run at the size wished for, it is
   * another one than it needs: whoever compares will tell.
   */
  fallback(): Runtime;
}

export function runtimeFinder(embedded: readonly EmbeddedBackbone[], maker: RuntimeMaker): RuntimeFinder {
  const made = new Map<string, Made>();
  const load = ({ weightsSha256, plan, weights }: EmbeddedBackbone): Made => {
    const backbone = loadBackbone(plan, new Uint8Array(weights));
    const own = maker.create(backbone);
    const first = { backbone, own, byInput: new Map([[keyOf({ ...backbone.plan.input, rules: 1 }), own]]) };
    made.set(weightsSha256, first);
    return first;
  };
  const at = ({ backbone, own, byInput }: Made, input: PictureInput | undefined): Runtime => {
    if (input === undefined || !allowsSize(own.plan, input)) return own;
    const key = keyOf(input);
    const runtime = byInput.get(key) ?? maker.resize(own, backbone, input);
    byInput.set(key, runtime);
    return runtime;
  };
  const of: RuntimeOf = async ({ backbone: { weightsSha256 }, input }) => {
    const known = made.get(weightsSha256);
    if (known !== undefined) return at(known, input);
    const found = embedded.find((each) => each.weightsSha256 === weightsSha256);
    return found === undefined ? maker.fallback() : at(load(found), input);
  };
  const named: RuntimeNamed = async (name, input) => {
    const found = embedded.find(({ plan }) => nameOf(plan) === name);
    return found && at(made.get(found.weightsSha256) ?? load(found), input);
  };
  return { of, named, names: embedded.map(({ plan }) => nameOf(plan)) };
}

/** The engine for pictures of one size. */
export function engineAt(engine: TailedEngine, size: Size): TailedEngine {
  const { name, codeLength } = engine;
  return {
    name,
    codeLength,
    codes: (pixels) => engine.codes(pixels, size),
    codesAndMaps: (pixels, steps) => engine.codesAndMaps(pixels, steps, size),
    createTail: (tail) => engine.createTail(tail, size),
  };
}

function keyOf({ height, width, rules }: PictureInput): string {
  return `${height}×${width} ${rules}`;
}

/** Of a plan that is not parsed yet. */
function nameOf(plan: unknown): string {
  return typeof plan === 'object' && plan !== null && 'name' in plan ? String(plan.name) : '';
}
