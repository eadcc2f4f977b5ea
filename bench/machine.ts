/** What the results were measured on: without it they mean nothing. */
import { cpus, loadavg, totalmem, type } from 'node:os';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../scripts/build/stale.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Whether it multiplies bytes as relaxed SIMD does in one instruction; undefined where the system does not tell. */
  readonly avxVnni: boolean | undefined;
  /** Runnable processes over the last minute, when the run began: above 1 or so, neighbours are in the results. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

const PACKAGES = [
  'workerd',
  '@tensorflow/tfjs-backend-wasm',
  'onnxruntime-web',
  'onnxruntime-node',
  '@litertjs/core',
  '@jsquash/jpeg',
  '@cwasm/jpeg-turbo',
];

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0].model,
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${process.arch}`,
    avxVnni: avxVnni(),
    load: loadavg()[0],
    versions: { node: process.versions.node, v8: process.versions.v8, ...packageVersions() },
  };
}

/** V8 asks for this one; AVX-512's VNNI is another. */
export function avxVnni(): boolean | undefined {
  const file = '/proc/cpuinfo';
  return existsSync(file) ? /\bavx_vnni\b/.test(readFileSync(file, 'utf8')) : undefined;
}

const Manifest = z.object({ version: z.string() });

function packageVersions(): Record<string, string> {
  return Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)]));
}

/** Read from the disk: many packages don't export their manifest. */
function versionOf(name: string): string {
  for (const folder of [import.meta.dirname, root]) {
    const file = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return Manifest.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
  }
  return 'not installed';
}
