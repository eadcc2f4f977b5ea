/**
 * Makes of the packaged modules of libjpeg-turbo and libwebp those that src/image/memory/working-memory.ts wants, build/wasm/jpeg.wasm and
 * webp.wasm: their memory comes from outside, their stack pointer can be set, and their allocators (wasi-libc's and Emscripten's
 * `sbrk`) ask the host where their heap ends instead of taking the memory's size for it. No other instruction changes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { STATIC_PAGES } from '../../src/image/memory/working-memory.ts';

const root = join(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);

interface Edit {
  readonly from: RegExp;
  readonly to: string;
}

const IMPORTS = [
  '(func $heap_pages (import "host" "heap_pages") (result i32))',
  '(func $grow_heap (import "host" "grow_heap") (param i32) (result i32))',
  `(memory $0 (import "host" "memory") ${STATIC_PAGES})`,
].join(' ');

/** Of the module's text, as Binaryen writes it; each is found once. */
const EDITS: readonly Edit[] = [
  { from: /^\(module/g, to: `(module ${IMPORTS}` },
  { from: /\(memory \$0 [ \d]+\)/g, to: '' },
  { from: /\(global \$global\$0 \(mut i32\)/g, to: '(global $global$0 (export "stack") (mut i32)' },
  { from: /\(memory\.size\)/g, to: '(call $heap_pages)' },
];
/** Emscripten's asks its host for more already. */
const GROW: Edit = { from: /\(memory\.grow/g, to: '(call $grow_heap' };

const CODECS = {
  jpeg: { path: '@cwasm/jpeg-turbo/jpeg-turbo.wasm', edits: [...EDITS, GROW] },
  webp: { path: '@jsquash/webp/codec/dec/webp_dec.wasm', edits: EDITS },
} as const;

/** @throws Error where a module is not as expected: the package has another version. */
export function buildCodecs(): void {
  mkdirSync(join(root, 'build/wasm'), { recursive: true });
  for (const [name, { path, edits }] of Object.entries(CODECS)) {
    const original = binaryen.readBinary(readFileSync(require.resolve(path)));
    let text = original.emitText();
    for (const { from, to } of edits) {
      const count = text.match(from)?.length ?? 0;
      if (count !== 1) throw new Error(`${path} has ${String(from)} ${count} times, not once`);
      text = text.replace(from, () => to);
    }
    const changed = binaryen.parseText(text);
    changed.setFeatures(binaryen.Features.MutableGlobals);
    const bytes = new Uint8Array(changed.emitBinary());
    if (!WebAssembly.validate(bytes)) throw new Error(`${path} is no valid module after its changes`);
    writeFileSync(join(root, 'build/wasm', `${name}.wasm`), bytes);
    original.dispose();
    changed.dispose();
  }
}
