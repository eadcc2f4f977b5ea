/**
 * Knows every WebAssembly memory of the isolate, whoever made it. To be imported before what it watches.
 */
const memories = new Set<WebAssembly.Memory>();
const Original = WebAssembly.Instance;

WebAssembly.Instance = new Proxy(Original, {
  construct(target, [module, imports]: [WebAssembly.Module, WebAssembly.Imports?]) {
    const instance = new target(module, imports);
    const values = [
      ...Object.values(imports ?? {}).flatMap((names) => Object.values(names)),
      ...Object.values(instance.exports),
    ];
    for (const value of values) if (value instanceof WebAssembly.Memory) memories.add(value);
    return instance;
  },
});

/** Bytes of all WebAssembly memories; they never shrink, so it is also the most there ever was. */
export function wasmMemoryBytes(): number {
  return [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
}
