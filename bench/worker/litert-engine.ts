/** LiteRT.js in workerd. */
import glue from '@litertjs/core/wasm/litert_wasm_internal.js?factory';
import wasm from '@litertjs/core/wasm/litert_wasm_internal.wasm?module';
import type { TfliteInput } from '../../src/export/index.ts';
import { createLiteRtEngine, type LiteRtEngine } from '../peers/litert.ts';
import { backbone } from './backbone.ts';

let engine: Promise<LiteRtEngine> | undefined;

export function liteRtEngine(input: TfliteInput): Promise<LiteRtEngine> {
  engine ??= createLiteRtEngine({ factory: glue, wasm }, backbone, input);
  return engine;
}
