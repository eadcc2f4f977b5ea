/** What Linux knows about other processes: workerd runs apart from this one. Elsewhere every value is undefined. */
import { readdirSync, readFileSync } from 'node:fs';

const NANOSECONDS_PER_MS = 1e6;
const BYTES_PER_KB = 1024;

/** Processes named workerd that this process started. */
export function workerdProcesses(): number[] {
  return readable('/proc')
    .map(Number)
    .filter((id) => Number.isInteger(id) && isOurWorkerd(id));
}

function isOurWorkerd(id: number): boolean {
  const status = read(`/proc/${id}/status`);
  return /^Name:\s+workerd$/m.test(status) && new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status);
}

/** Resident memory of a process. */
export function residentBytes(id: number): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${id}/status`))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * BYTES_PER_KB;
}

/** CPU time that all threads of a process have used, in milliseconds, to the scheduler's nanosecond. */
export function cpuMs(id: number): number | undefined {
  const threads = readable(`/proc/${id}/task`);
  if (threads.length === 0) return undefined;
  const used = threads.map((thread) => Number(read(`/proc/${id}/task/${thread}/schedstat`).split(' ')[0]));
  return used.reduce((sum, ns) => sum + ns, 0) / NANOSECONDS_PER_MS;
}

function readable(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A process may end, and its files with it, between the listing and the reading. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
