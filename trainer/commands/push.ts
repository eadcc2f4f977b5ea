/** headwater push: a head file becomes a version on a Worker. */
import { readHeadFile } from '../head-file.ts';
import type { Terminal } from '../cli/terminal.ts';
import { clientFor, requireHeadName, type WorkerOptions } from '../cli/worker-options.ts';

interface PushOptions extends WorkerOptions {
  readonly head: string;
}

export async function push(file: string, options: PushOptions, terminal: Terminal): Promise<void> {
  const name = requireHeadName(options.head);
  const client = clientFor(options);
  // Read as a head first: a wrong file is told apart here, with its path, and not by the Worker.
  const { bytes } = await readHeadFile(file);
  const stored = await client.putHead(name, bytes);
  const already = stored.created ? '' : ' (it was there already)';
  terminal.print(`${stored.head} version ${stored.version}, ${stored.classes} classes${already}`);
  terminal.result(stored);
}
