/**
 * WebAssembly modules come compiled from the bundler. `?module` is for packages that ship types of their own beside
 * the file, which describe its exports and not the module.
 */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}

/** The backbone's weights: wrangler.toml's Data rule. */
declare module '*.safetensors' {
  const bytes: ArrayBuffer;
  export default bytes;
}
