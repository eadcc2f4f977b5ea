/** `npm run dev`, told to end: its server is gone, and so is its port, by the time that it has ended itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../../scripts/build/stale.ts';
import { skipped } from '../skipped.ts';

const folder = mkdtempSync(join(tmpdir(), 'headwater-signals-'));
const isWindows = process.platform === 'win32' && skipped('signals, which Windows does not have.');

beforeAll(() => {
  // The bootstrap would install anew, under the feet of all other tests.
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const stamp = readFileSync(join(root, 'node_modules/.headwater-installed'), 'utf8');
  if (stamp !== lock.digest('hex'))
    throw new Error('The dependencies are not those of package-lock.json: run npm test.');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Binds it. @throws where it is taken. @returns it, or a free one for 0. */
async function bind(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server on TCP has such an address
  const bound = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return bound;
}

async function startDev(port: number): Promise<ChildProcess> {
  const args = [
    join(root, 'scripts/bootstrap.mjs'),
    'dev',
    '--port',
    `${port}`,
    '--state',
    folder,
    '--quiet',
  ];
  // At the head of a group of its own, as a shell starts it.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  let said = '';
  for await (const text of child.stdout) {
    said += String(text);
    if (said.includes('Headwater listens')) return child;
  }
  throw new Error(`It does not serve: ${said}`);
}

/** Processes of the group, where /proc tells. */
function membersOf(group: number): string[] {
  const ids = process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return ids.flatMap((id) => {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      const [state, , groupOf] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(groupOf) === group && state !== 'Z' ? [stat.slice(0, stat.lastIndexOf(')') + 1)] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(isWindows)('npm run dev', () => {
  it.each([
    ['SIGTERM', 'the process', 1],
    ['SIGINT', 'the process', 1],
    ['SIGHUP', 'the process', 1],
    ['SIGINT', 'the whole group, as a terminal does', -1],
    ['SIGTERM', 'the whole group', -1],
  ] as const)('ends at %s to %s', async (signal, _, sign) => {
    const port = await bind(0);
    const child = await startDev(port);
    const id = child.pid!;
    await expect(bind(port)).rejects.toThrow('EADDRINUSE');
    const ended = once(child, 'exit');
    process.kill(sign * id, signal);
    expect(await ended).toEqual([0, null]);
    expect(membersOf(id)).toEqual([]);
    expect(await bind(port)).toBe(port);
  });
});
