/** Folders and pictures for the trainer's tests. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

/** An empty folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files, given by path relative to the folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
  return folder;
}

/**
 * A small PNG of stripes, different for every seed.
 * @param hue 0 red, 1 green, 2 blue: classes that a head can tell apart.
 */
export function png(hue: number, seed: number): Uint8Array {
  const side = 32;
  const rows = Buffer.alloc(side * (side * 3 + 1));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = y * (side * 3 + 1) + 1 + x * 3;
      rows[at + hue] = 200 - ((x * (seed + 1)) % 60);
      rows[at + ((hue + 1) % 3)] = (y * 7 + seed * 31) % 90;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A data set of three colours, `count` pictures each. */
export function writeColours(folder: string, count: number, firstSeed = 0): string {
  for (const [hue, name] of (['red', 'green', 'blue'] as const).entries()) {
    for (let i = 0; i < count; i++) {
      writeFiles(folder, { [`${name}/${i}.png`]: png(hue, firstSeed + i) });
    }
  }
  return folder;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent SIGINT as soon as standard error shows this. */
  readonly interruptAt?: string;
}

/** Runs the command line in a process of its own, as a user in `cwd` does. */
export function headwater(
  args: readonly string[],
  { cwd, env = {}, interruptAt }: RunOptions,
): Promise<Finished> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'trainer/cli.ts'), ...args],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        INIT_CWD: cwd,
        HEADWATER_CACHE: join(cwd, '.cache'),
        HEADWATER_URL: '',
        HEADWATER_KEY: '',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
    if (interruptAt !== undefined && stderr.includes(interruptAt)) child.kill('SIGINT');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
