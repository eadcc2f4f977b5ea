/** What the bundler makes of files that are not code: compiled modules and bytes. */
declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.safetensors?bytes' {
  const bytes: ArrayBuffer;
  export default bytes;
}

/** A script of emscripten's that leaves a factory behind. */
declare module '*.js?factory' {
  const factory: (options: object) => Promise<object>;
  export default factory;
}
