/**
 * What a head's examples are codes of. The first example of a head that is taught here fixes it: the default of that day,
 * a backbone at a size, with all its taps. A head that was uploaded reads its own codes: those of the backbone and size that
 * it names, from the taps that it reads, behind its tail if it has one. Its file's hash names them, and with it the tail.
 */
import type { ImageInfo } from '../../src/api/index.ts';
import { spaceOf, spaceOfPlan } from '../../src/head/index.ts';
import { codeFor, extractFeatures, isTooMuch, type Features } from '../predict/features.ts';
import type { Env } from '../env.ts';
import { ApiError } from '../http/problem.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { Runtime } from '../isolate/backbones.ts';
import type { Services } from '../isolate/services.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import { headObjectName } from '../stores/layout.ts';
import { callTenant } from '../tenant/call.ts';
import { CodeOrigin, sameOrigin } from '../tenant/code-origin.ts';
import type { KnownSpace } from '../tenant/teach/teaching.ts';

export interface CodeSpace {
  readonly origin: CodeOrigin;
  /** What makes the codes; where there is a reader, what it reads. */
  readonly runtime: Runtime;
  /** The uploaded head whose codes they are, if it is one's. */
  readonly reader: LoadedHead | undefined;
}

/** What a head's new examples become codes of. */
export interface TaughtSpaces {
  readonly space: CodeSpace;
  /** The space that the head is being moved to, where it is: they have a second code there. */
  readonly target?: CodeSpace | undefined;
}

type SpaceServices = Pick<Services, 'loader' | 'runtime'>;

/**
 * Calls the tenant's Durable Object, which knows what was taught a moment ago. A target that is not the default any more counts
 * as none: the next step of the move begins anew.
 */
export async function taughtSpacesOf(
  services: SpaceServices,
  env: Env,
  tenant: string,
  name: string,
): Promise<TaughtSpaces> {
  const { target, ...known } = await callTenant(env, tenant, (stub) => stub.teaching.codeSpace(name));
  const ours = spaceAt(services.runtime);
  return {
    space: await fixedSpace(services, env, tenant, name, known),
    target: target !== undefined && sameOrigin(target, ours.origin) ? ours : undefined,
  };
}

async function fixedSpace(
  { runtime, loader }: SpaceServices,
  env: Env,
  tenant: string,
  name: string,
  { origin, base }: KnownSpace,
): Promise<CodeSpace> {
  if (base === undefined) {
    return spaceAt(
      origin === undefined ? runtime : await runtime.of({ backbone: origin, input: origin.input }),
    );
  }
  const { version, sha256 } = base;
  const file = { head: name, version, objectName: headObjectName(tenant, name, version, sha256) };
  const reader = await loader.load(env, file);
  if (reader === null)
    throw new ApiError('conflict', `Head '${name}' was deleted at this moment. Repeat the request.`);
  return {
    origin: CodeOrigin.parse({ ...reader.head.backbone, ...spaceOf(reader.head), base }),
    runtime: reader.runtime,
    reader,
  };
}

type Coding = Pick<Services, 'tails'>;

/**
 * A picture's code, and its second one where the head is being moved: decoded once for both. The second one is left out
 * where the work that is set aside for it is spent.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
export async function codesIn(
  services: Coding,
  { space, target }: TaughtSpaces,
  picture: Uint8Array,
  work: RequestWork,
): Promise<{ code: Float32Array; second?: Float32Array; image: ImageInfo }> {
  const readers = [space.reader ?? space];
  const optional = target === undefined ? [] : [target.reader ?? target];
  const { features, later, image } = await extractFeatures(picture, work, readers, optional);
  const code = codeOf(services, space, features.get(space.runtime));
  if (target === undefined) return { code, image };
  try {
    const found = features.get(target.runtime) ?? (await later.get(target.runtime)?.());
    return found === undefined ? { code, image } : { code, second: codeOf(services, target, found), image };
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    return { code, image };
  }
}

function codeOf({ tails }: Coding, { reader }: CodeSpace, features: Features | undefined): Float32Array {
  if (reader !== undefined) return codeFor(tails, reader, features);
  if (features === undefined)
    throw new Error('There are no features for the backbone whose codes are wanted.');
  return features.code;
}

/** The codes of a backbone at a size, from all its taps. */
export function spaceAt(runtime: Runtime): CodeSpace {
  const { plan, input } = runtime;
  const origin = CodeOrigin.parse({ ...spaceOfPlan(plan, input), name: plan.name, version: plan.version });
  return { origin, runtime, reader: undefined };
}
