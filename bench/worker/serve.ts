/**
 * A Worker that does one piece of work as often as it is told, on an input that was sent before. Clocks stand still in
 * a Worker while it computes: the caller measures from outside and subtracts the time of zero repetitions.
 */
import { wasmMemoryBytes } from './memories.ts';

/** Takes the bytes under the name `input` (and perhaps others) and returns the answer's bytes. */
export type Work = (inputs: ReadonlyMap<string, Uint8Array>) => Promise<Uint8Array> | Uint8Array;

export interface Handler {
  fetch(request: Request): Promise<Response>;
}

/**
 * - `PUT /{name}`: keeps the body as the input of that name.
 * - `POST /{work}?times=n`: does the work n times on what was kept; answers with the last result. A body takes the place
 *   of the input `input` for this request alone.
 * - `GET /memory`: bytes of WebAssembly memory.
 * - `POST /collect`: collects all garbage, where V8 was told to let Workers do that.
 */
export function serve(works: Readonly<Record<string, Work>>): Handler {
  const inputs = new Map<string, Uint8Array>();
  return {
    async fetch(request) {
      const url = new URL(request.url);
      const name = url.pathname.slice(1);
      if (request.method === 'GET') return new Response(String(wasmMemoryBytes()));
      if (name === 'collect') return collect();
      const body = new Uint8Array(await request.arrayBuffer());
      if (request.method === 'PUT') {
        inputs.set(name, body);
        return new Response();
      }
      if (body.length > 0) inputs.set('input', body);
      return new Response(await repeat(works[name], inputs, Number(url.searchParams.get('times') ?? 1)));
    },
  };
}

/** What holds on to something else may go only with a later collection. */
async function collect(): Promise<Response> {
  for (let i = 0; i < 5; i++) {
    if (typeof globalThis.gc === 'function') globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return new Response();
}

async function repeat(
  work: Work,
  inputs: ReadonlyMap<string, Uint8Array>,
  times: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let result: Uint8Array = new Uint8Array();
  for (let i = 0; i < times; i++) result = await work(inputs);
  return new Uint8Array(result);
}

export function required(inputs: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = inputs.get(name);
  if (bytes === undefined) throw new Error(`PUT /${name} first.`);
  return bytes;
}
