/** Fine-tuned tails, ready to run: made from a head when first needed, and kept as long as they fit. */
import { WHOLE, type Tail, type TailedEngine, type TailEngine } from '../../src/backbone/index.ts';
import { TAIL_CACHE_BYTES } from '../limits.ts';
import { ByteLru, type CacheMemory } from './byte-lru.ts';

export class TailStore {
  readonly #prepared: ByteLru<TailEngine>;

  constructor(memory: CacheMemory) {
    this.#prepared = new ByteLru(TAIL_CACHE_BYTES, memory, (tail) => tail.dispose());
  }

  /**
   * The part of the code behind the tail's cut, for each picture.
   * @param name of the head's object, which never changes.
   * @param pixels of the pictures, and the feature maps that the trunk made of them.
   */
  codes(
    engine: TailedEngine,
    name: string,
    tail: Tail,
    pixels: Uint8Array,
    maps: ReadonlyMap<string, Float32Array>,
  ): Float32Array {
    // Nothing is awaited from here on, so that no other request can push the tail out while it runs.
    const prepared = this.#prepared.get(name) ?? engine.createTail(tail);
    const codes = prepared.codes(tail.from === WHOLE ? pixels : maps.get(tail.from)!);
    this.#prepared.set(name, prepared, prepared.bytes);
    return codes;
  }
}
