/** How fast this machine multiplies and adds in WebAssembly SIMD when nothing else holds it up: the roof of the roofline. */
import { main as compile } from 'assemblyscript/asc';
import { exported } from '../src/image/memory/codec-pool.ts';
import { interleave, local } from './measure.ts';
import { wasmOf } from './peers/load.ts';

const ACCUMULATORS = 8;
const LANES = 4;
const ITERATIONS = 200_000;

/** Billions of multiply-adds a second. */
export interface Ceiling {
  readonly plain: number;
  readonly relaxed: number;
}

function each(line: (i: number) => string): string {
  return Array.from({ length: ACCUMULATORS }, (_, i) => line(i)).join('\n');
}

/** Two loaded vectors times four kept ones, into eight sums: as a good GEMM's inner loop, and no more than 16 registers. */
function source(multiplyAdd: (sum: string, x: string, y: string) => string): string {
  return `
    export function run(n: i32): f32 {
      ${each((i) => `let w${i} = f32x4.splat(<f32>(n + ${i})); let a${i} = f32x4.splat(0);`)}
      for (let i = 0; i < n; i++) {
        const at = (i & 511) << 4;
        const x0 = v128.load(at);
        const x1 = v128.load(at, 16);
        ${each((i) => `a${i} = ${multiplyAdd(`a${i}`, `x${i & 1}`, `w${i >> 1}`)};`)}
      }
      let sum = f32x4.splat(0);
      ${each((i) => `sum = f32x4.add(sum, a${i});`)}
      return f32x4.extract_lane(sum, 0);
    }`;
}

export async function measureCeiling(rounds: number): Promise<Ceiling> {
  const plain = await kernel(source((sum, x, y) => `f32x4.add(${sum}, f32x4.mul(${x}, ${y}))`));
  const relaxed = await kernel(source((sum, x, y) => `f32x4.relaxed_madd(${x}, ${y}, ${sum})`));
  const contenders = [local('plain', () => plain(ITERATIONS)), local('relaxed', () => relaxed(ITERATIONS))];
  const timings = await interleave(contenders, { rounds, times: 5 });
  // The best tenth: a roof is what the machine can do, not what it does beside its neighbours.
  const rate = (name: string): number =>
    (ITERATIONS * ACCUMULATORS * LANES) / (timings.get(name)!.wall.p10 * 1e6);
  return { plain: rate('plain'), relaxed: rate('relaxed') };
}

async function kernel(text: string): Promise<(n: number) => number> {
  let binary: Uint8Array | undefined;
  const options = '-O3 --runtime stub --enable simd --enable relaxed-simd --initialMemory 1'.split(' ');
  const { error } = await compile(['kernel.ts', '--outFile', 'kernel.wasm', ...options], {
    readFile: (name) => (name === 'kernel.ts' ? text : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null) throw error;
  if (binary === undefined) throw new Error('The kernel of the ceiling compiled to nothing.');
  return exported(new WebAssembly.Instance(wasmOf(new Uint8Array(binary))), 'run');
}
