/** A deployment that is not quite the project's own: a copy of what the Worker is bundled from, bundled anew. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import type { PictureInput } from '../../../src/head/index.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ADMIN_SECRET = 'a secret for this test';
const PARTS = ['src', 'worker', 'scripts', 'backbones', 'build', 'package.json', 'wrangler.toml'];

export class Deployment {
  readonly #folder = mkdtempSync(join(tmpdir(), 'headwater-deployment-'));
  #worker: LocalWorker | undefined;

  constructor() {
    for (const part of PARTS) cpSync(join(ROOT, part), join(this.#folder, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** A folder for files that goes when it stops. */
  get workspace(): string {
    return this.#folder;
  }

  /** Where to put backbones before it starts. */
  get backbones(): string {
    return join(this.#folder, 'build/backbones');
  }

  /** Changes a source file before it is bundled. @throws Error where there is nothing to be changed. */
  edit(file: string, from: string, to: string): void {
    const path = join(this.#folder, file);
    const source = readFileSync(path, 'utf8');
    if (!source.includes(from)) throw new Error(`${file} does not hold '${from}'.`);
    writeFileSync(path, source.replace(from, to));
  }

  /** What new heads read there. @throws Error where the project's own default is written in another way. */
  defaultTo(backbone: string, { height, width, rules }: PictureInput): void {
    const path = join(this.#folder, 'src/backbone/defaults.ts');
    const source = readFileSync(path, 'utf8');
    const changed = source
      .replace(/(DEFAULT_BACKBONE = )'[^']*'/, `$1'${backbone}'`)
      .replace(
        /(DEFAULT_INPUT: PictureInput = )\{[^}]*\}/,
        `$1{ height: ${height}, width: ${width}, rules: ${rules} }`,
      );
    if (!/DEFAULT_BACKBONE = '/.test(source) || !/DEFAULT_INPUT: PictureInput = \{/.test(source))
      throw new Error('src/backbone/defaults.ts does not name a default as it did.');
    writeFileSync(path, changed);
  }

  /** @returns the folder of the bundle. */
  async bundle(): Promise<string> {
    await this.#run('build/backbones.ts');
    await this.#run('build/worker.ts');
    return join(this.#folder, 'build/worker');
  }

  async start(): Promise<void> {
    const bundle = await this.bundle();
    this.#worker = await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET, bundle });
  }

  async stop(): Promise<void> {
    await this.#worker?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What the command line needs to reach it. */
  remote(key: string): string[] {
    return ['--url', this.#url.origin, '--key', key];
  }

  async call(key: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${key}`);
    const response = await fetch(new URL(path, this.#url), { ...init, headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async newTenant(): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'a tenant' });
    const answer = await this.call(ADMIN_SECRET, '/v1/tenants', { method: 'POST', headers, body });
    return z.object({ key: z.string() }).parse(await answer.json()).key;
  }

  get #url(): URL {
    if (this.#worker === undefined) throw new Error('The Worker is not running.');
    return this.#worker.url;
  }

  async #run(script: string): Promise<void> {
    const child = spawn(process.execPath, [join(this.#folder, 'scripts', script)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`${script} failed: ${said}`);
  }
}
