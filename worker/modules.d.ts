/** Data modules come as bytes: see the rules in wrangler.toml. */
declare module '*.safetensors' {
  const bytes: ArrayBuffer;
  export default bytes;
}
