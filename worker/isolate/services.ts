/** What an isolate keeps between requests: the classifier, and the caches in front of the stores. */
import { Metering } from '../access/metering.ts';
import type { Runtime } from './backbones.ts';
import { memory } from './memory.ts';
import { HeadLoader } from '../stores/head-loader.ts';
import { HeadStore } from '../stores/heads.ts';
import { KeyStore } from '../stores/keys.ts';
import { PointerStore } from '../stores/pointers.ts';
import { TailStore } from '../stores/tails.ts';

export interface Services {
  readonly runtime: Runtime;
  readonly keys: KeyStore;
  readonly metering: Metering;
  readonly pointers: PointerStore;
  readonly heads: HeadStore;
  readonly loader: HeadLoader;
  readonly tails: TailStore;
}

export function createServices(runtime: Runtime): Services {
  const [pointers, heads] = [new PointerStore(), new HeadStore(runtime, memory)];
  return {
    runtime,
    keys: new KeyStore(),
    metering: new Metering(),
    pointers,
    heads,
    loader: new HeadLoader(pointers, heads, runtime),
    tails: new TailStore(memory),
  };
}
