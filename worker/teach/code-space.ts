/**
 * What a head's examples are codes of. A head that was taught here reads the codes of the built-in backbone. One that was
 * uploaded reads its own: those of the backbone that it names, from the taps that it reads, behind its tail if it has one.
 * The head file's hash names them, and with it the tail.
 */
import type { ImageInfo } from '../../src/api/index.ts';
import { codeFor, see, type LoadedHead } from '../classify.ts';
import type { Env } from '../env.ts';
import { ApiError } from '../problem.ts';
import type { RequestWork } from '../request-work.ts';
import type { Runtime } from '../runtime.ts';
import type { Services } from '../services.ts';
import { headObjectName } from '../stores/layout.ts';
import { callTenant } from '../tenant/call.ts';
import type { CodeOrigin } from '../tenant/examples.ts';
import { isSame } from '../tenant/second-codes.ts';

export interface CodeSpace {
  readonly origin: CodeOrigin;
  /** The uploaded head whose codes they are, if it is one's. */
  readonly reader: LoadedHead | undefined;
}

/** Asks the tenant's Durable Object, which knows what was taught a moment ago. */
export async function codeSpaceOf(
  services: Pick<Services, 'heads' | 'runtime'>,
  env: Env,
  tenant: string,
  name: string,
): Promise<CodeSpace> {
  const base = await callTenant(env, tenant, (stub) => stub.codeSpace(name));
  if (base === null) return builtInSpace(services.runtime);
  const { version, sha256 } = base;
  const file = { head: name, version, objectName: headObjectName(tenant, name, version, sha256) };
  const head = await services.heads.load(env, file);
  if (head === null)
    throw new ApiError('conflict', `Head '${name}' was deleted at this moment. Repeat the request.`);
  const { backbone, taps, codeLength } = head;
  return { origin: { ...backbone, taps: [...taps], codeLength, base }, reader: { file, head } };
}

/**
 * The code space that a head is being moved to, or undefined. One that is not the default any more counts as none: the
 * next step of the rebase begins anew.
 */
export async function moveTargetOf(
  { runtime }: Pick<Services, 'runtime'>,
  env: Env,
  tenant: string,
  name: string,
): Promise<CodeSpace | undefined> {
  const target = await callTenant(env, tenant, (stub) => stub.moveTarget(name));
  const space = builtInSpace(runtime);
  return target !== null && isSame(target, space.origin) ? space : undefined;
}

/** @throws HeadwaterError image_…; ApiError too_much_work */
export async function codeIn(
  services: Pick<Services, 'runtime' | 'tails'>,
  { reader }: CodeSpace,
  picture: Uint8Array,
  work: RequestWork,
): Promise<{ code: Float32Array; image: ImageInfo }> {
  const seen = await see(services.runtime, [picture], work, reader === undefined ? [] : [reader]);
  const code = reader === undefined ? seen.codes : await codeFor(services, reader, seen);
  return { code, image: seen.images[0] };
}

/** The codes of the built-in backbone, all its taps. */
export function builtInSpace({ plan, engine }: Runtime): CodeSpace {
  const { name, version, weightsSha256 } = plan;
  const taps = plan.taps.map((tap) => tap.name);
  return {
    origin: { name, version, weightsSha256, taps, codeLength: engine.codeLength },
    reader: undefined,
  };
}
