/** A copy of the project in a temporary folder, whose files are changed and tested without touching the checkout. */
import { spawn, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from '../../scripts/build/stale.ts';

export interface TestRun {
  readonly passed: boolean;
  readonly timedOut: boolean;
  readonly output: string;
}

export class Workplace {
  readonly #folder = mkdtempSync(join(tmpdir(), 'headwater-mutants-'));

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    });
    for (const file of listed.split('\0').filter(Boolean)) {
      mkdirSync(dirname(join(this.#folder, file)), { recursive: true });
      cpSync(join(root, file), join(this.#folder, file));
    }
    for (const shared of ['node_modules', 'build'])
      symlinkSync(join(root, shared), join(this.#folder, shared));
  }

  read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }

  /** Runs test files. @param timeoutMs ends them as failed. */
  test(args: readonly string[], timeoutMs: number): Promise<TestRun> {
    return new Promise((resolve, reject) => {
      const child = spawn('vitest', ['run', ...args], { cwd: this.#folder, detached: true });
      const pieces: Buffer[] = [];
      child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
      child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        // The whole group: workerd is a child of its child.
        process.kill(-child.pid!, 'SIGKILL');
      }, timeoutMs);
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        const output = stripVTControlCharacters(Buffer.concat(pieces).toString());
        resolve({ passed: code === 0, timedOut, output });
      });
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
