/** Data modules come as bytes: wrangler.toml has the rules. */
declare module '*.safetensors' {
  const bytes: ArrayBuffer;
  export default bytes;
}
