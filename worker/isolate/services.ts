/** What an isolate keeps between requests: the classifier, the caches in front of the stores, and the reader of images. */
import { Metering } from '../access/metering.ts';
import { withPictures } from '../http/pictures.ts';
import type { Runtime } from './backbones.ts';
import { memory } from './memory.ts';
import { HeadLoader } from '../stores/head-loader.ts';
import { HeadStore } from '../stores/heads.ts';
import { KeyStore } from '../stores/keys.ts';
import { PointerStore } from '../stores/pointers.ts';
import { TailStore } from '../stores/tails.ts';

export type Services = ReturnType<typeof createServices>;

export function createServices(runtime: Runtime) {
  const [pointers, heads] = [new PointerStore(), new HeadStore(runtime, memory)];
  return {
    runtime,
    keys: new KeyStore(),
    metering: new Metering(),
    pointers,
    heads,
    loader: new HeadLoader(pointers, heads, runtime),
    tails: new TailStore(memory),
    /** How a request's images are read, whatever form they come in: http/pictures.ts. */
    withPictures,
  };
}
