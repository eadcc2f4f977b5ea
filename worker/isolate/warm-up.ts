/**
 * Runs the way of a picture before there is a request: V8 compiles WebAssembly when it first runs, and again, better, once
 * it has run for a while; and what checks that which comes from the stores is prepared when it is first used. That costs
 * tens of milliseconds of start-up and spares them the first request.
 */
import { env } from 'cloudflare:workers';
import { score, spaceOfPlan, writeHead, type Head } from '../../src/head/index.ts';
import type { App } from '../env.ts';
import { codeFor, extractFeatures } from '../predict/features.ts';
import type { Env } from '../env.ts';
import { RequestWork } from './request-work.ts';
import type { Runtime } from './backbones.ts';
import { Leases } from './leases.ts';
import { REQUEST_TERMS } from '../limits.ts';
import { HeadStore } from '../stores/heads.ts';
import { KeyEntry, Pointer } from '../stores/layout.ts';
import { fileOf, PointerStore } from '../stores/pointers.ts';
import { TailStore } from '../stores/tails.ts';

/** 232×232 pixels of a colour gradient, so that the decoder scales and converts as it does for a photo. */
const JPEG = Uint8Array.fromBase64(
  '/9j/2wBDAKBueIx4ZKCMgoy0qqC+8P//8Nzc8P//////////////////////////////////////////////////////////' +
    '2wBDAaq0tPDS8P//////////////////////////////////////////////////////////////////////////////wAAR' +
    'CADoAOgDASIAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAECA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAXAQEBAQEA' +
    'AAAAAAAAAAAAAAAAAQMC/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8A4qDtAAUAAAABUVFAAAAAUAABQQUF' +
    'AAAAAAAEVkB0yAABRFAAAAABQAAUBFAUAAAAAQAUVFAAAGFBWYAAAAAKAoIKAACgAAAACKCgAAAAAAoADICswAAFBFAAAUAA' +
    'AQAUVFAAAAAUAABQQUAAFYFFZAAoAAAAAgCgqKAAAAAoAACgigKAAAAAIMgOmYAgAoqCgAAAAAAoAAKAACgAACAAKCgIKAwK' +
    'KzRQAAAAFAAAUEUAABQAABABRUFAAAABQAGQFZAAoAAKAAAACgCAAAKCooAAAACgAAKCCgMAqs0UAABQAABABQQUFAAAAABQ' +
    'AAUAAFAAAEGQHTMAAAQBQVFAAAAAAAUBQRQAAFAEAAAFFQUBgBWQKCgAAAAAoAAKAAAACgCAAAKCooAAAACsgKyAAABQFBBQ' +
    'AAUAQAAAABQUAAAAAFAABQGAFZgoCKAAAoAgAAAoqKAAAAAAAoCggoAAKAIMgOmQAKAIAAAoKAAAAACgAAoCKAACKAAAAACs' +
    'gKyAAFAUAAAAAFAAAAUAUAQAAAAABVAAAB//2Q==',
);

const JPEG_SIDE = 232;

/** Nobody's key, of the form that keys have. */
const KEY = `hw_${'a'.repeat(16)}_${'A'.repeat(43)}`;

const refuse = (): never => {
  throw new Error('No tenant is called before there is a request.');
};

/** An empty store. `wrangler check startup` gives none: then there is none. */
const emptied = <T extends object>(store: T): T =>
  typeof store === 'object' ? new Proxy(store, { get: () => () => Promise.resolve(null) }) : store;

/** No store may be read before there is a request: the host refuses. But what it sets up for a first call is done. */
const STORES: Env = {
  HEADS: emptied(env.HEADS),
  POINTERS: emptied(env.POINTERS),
  TENANTS: { idFromName: refuse, get: refuse },
};

/** Enough for V8 to take the kernels for hot. */
const RUNS = 3;

/** Directions enough that scoring one code is a loop V8 takes for hot, and few enough not to last. */
const DIRECTIONS = 8;

export async function warmUp(runtime: Runtime): Promise<void> {
  const { decoder } = runtime;
  KeyEntry.safeParse({ tenant: '', id: '', scopes: [] });
  const file = fileOf('', '', Pointer.parse({ revision: 0, current: 1, versions: { 1: '' } }));
  const memory = new Leases(Infinity, REQUEST_TERMS);
  const [pointers, heads, tails] = [
    new PointerStore(),
    new HeadStore(runtime, memory),
    new TailStore(memory),
  ];
  const head = await heads.parse(writeHead(plainHead(runtime)));
  for (let run = 0; run < RUNS; run++) {
    // Decoded at each scale, from an eighth on: the decoder has code of its own for every one.
    for (let side = JPEG_SIDE / 8; side < JPEG_SIDE; side += JPEG_SIDE / 8) {
      await decoder.decode(JPEG, { width: side, height: side, rules: 1 });
    }
    const loaded = { file, head, runtime };
    const { features } = await extractFeatures(JPEG, new RequestWork(), [loaded]);
    score(head, codeFor(tails, loaded, features.get(runtime)));
  }
  await Promise.allSettled([
    Promise.try(() => env.POINTERS.get('')),
    Promise.try(() => env.HEADS.get('')),
    pointers.resolve(STORES, '', ''),
    heads.load(STORES, file),
  ]);
}

/** Sends a request on its way. It fails on it, at the latest where its key is looked up, but what it passes is prepared. */
export async function warmUpRoutes(app: App): Promise<void> {
  const headers = { authorization: `Bearer ${KEY}` };
  const sent = Promise.try(() => app.request('/v1/heads/a/classify', { method: 'POST', headers }, STORES));
  await sent.catch(() => undefined);
}

/** A head that knows two labels and nothing about them. */
function plainHead({ plan, input }: Runtime): Head {
  const { name, version, weightsSha256 } = plan;
  const { codeLength, taps, statistics, input: other } = spaceOfPlan(plan, input);
  const distribution = { centre: 0, spread: 1 };
  const labels = ['a', 'b'];
  const zeros = new Float32Array(labels.length * codeLength);
  return {
    backbone: { name, version, weightsSha256 },
    taps,
    ...(statistics === undefined ? {} : { statistics }),
    ...(other === undefined ? {} : { input: other }),
    codeLength,
    labels,
    mean: new Float32Array(codeLength),
    deviation: new Float32Array(codeLength).fill(1),
    weights: zeros,
    bias: new Float32Array(labels.length),
    temperature: 1,
    novelty: {
      directions: new Float32Array(DIRECTIONS * codeLength),
      residual: distribution,
      logit: distribution,
      threshold: 0,
    },
    training: { method: { fit: 'none' }, examples: 0, counts: [0, 0], lambda: 0, leaveOneOut: null },
    golden: [
      { code: new Float32Array(codeLength), probabilities: new Float32Array(labels.length).fill(0.5) },
    ],
  };
}
