/** Knows every WebAssembly memory of the isolate, whoever made it, until it is collected. To be imported before what it watches. */
const memories = new Set<WeakRef<WebAssembly.Memory>>();
/** A memory that goes in and comes out, or is shared, counts once. */
const known = new WeakSet<WebAssembly.Memory>();
const Original = WebAssembly.Instance;

WebAssembly.Instance = new Proxy(Original, {
  construct(target, [module, imports]: [WebAssembly.Module, WebAssembly.Imports?]) {
    const instance = new target(module, imports);
    const values = [
      ...Object.values(imports ?? {}).flatMap((names) => Object.values(names)),
      ...Object.values(instance.exports),
    ];
    for (const value of values) {
      if (!(value instanceof WebAssembly.Memory) || known.has(value)) continue;
      known.add(value);
      memories.add(new WeakRef(value));
    }
    return instance;
  },
});

/** Bytes of all WebAssembly memories that are held. */
export function wasmMemoryBytes(): number {
  return [...memories].reduce((sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0), 0);
}
