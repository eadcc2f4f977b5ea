/** LiteRT.js in workerd. */
import glue from '@litertjs/core/wasm/litert_wasm_internal.js?factory';
import wasm from '@litertjs/core/wasm/litert_wasm_internal.wasm?module';
import { createLiteRtEngine, type LiteRtEngine, type LiteRtModel } from '../peers/litert.ts';
import { backbone } from './backbone.ts';

let engine: Promise<LiteRtEngine> | undefined;

export function liteRtEngine(model: LiteRtModel): Promise<LiteRtEngine> {
  engine ??= createLiteRtEngine({ factory: glue, wasm }, backbone, model);
  return engine;
}
