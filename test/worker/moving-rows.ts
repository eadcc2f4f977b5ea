/** Moving a head on rows and stores alone: a tenant with a head of two classes, and what is done between two steps. */
import type { NewExample } from '../../worker/tenant/teach/example.ts';
import type { CodeOrigin } from '../../worker/tenant/code-origin.ts';
import type { Stores } from '../../worker/tenant/outbox.ts';
import { Rebasing } from '../../worker/tenant/rebase/rebase.ts';
import { Teaching } from '../../worker/tenant/teach/teaching.ts';
import { Training } from '../../worker/tenant/teach/training.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { inRows, type Opened } from './in-rows.ts';

export const OLD: CodeOrigin = {
  name: 'old',
  version: '1',
  weightsSha256: 'a'.repeat(64),
  taps: ['t'],
  codeLength: 8,
};
export const NEW: CodeOrigin = { ...OLD, name: 'new', weightsSha256: 'b'.repeat(64), codeLength: 6 };
export const OTHER: CodeOrigin = { ...NEW, name: 'other', weightsSha256: 'c'.repeat(64) };

/** A code that lies around a place of its label, of another length in each space. */
function codeOf(label: string, i: number, { codeLength }: CodeOrigin): Uint8Array {
  const place = label.charCodeAt(0) % 7;
  const code = Float16Array.from({ length: codeLength }, (_, d) => place * d + ((i * 5 + d * 3) % 4));
  return new Uint8Array(code.buffer);
}

/** Examples of one label with their pictures; `second` says in which space they have a second code. */
export function examples(label: string, count: number, second?: CodeOrigin, from = 0): NewExample[] {
  return Array.from({ length: count }, (_, i) => ({
    picture: `${label} ${from + i}`,
    label,
    source: 'picture',
    code: codeOf(label, from + i, OLD),
    ...(second === undefined ? {} : { second: codeOf(label, from + i, second) }),
  }));
}

export interface Parts {
  readonly rows: Opened;
  readonly teaching: Teaching;
  readonly rebasing: Rebasing;
  /** What is done when the next head file is written, before its version is committed. */
  readonly onceWritten: (task: () => unknown) => void;
}

const nothing = async (): Promise<void> => {};

/** A tenant whose stores keep what they get, with a head of two classes. */
export async function moving(task: (parts: Parts) => Promise<unknown>): Promise<void> {
  const files = new Map<string, Uint8Array>();
  const planned: (() => unknown)[] = [];
  const stores: unknown = {
    HEADS: {
      get: async (name: string) => (files.has(name) ? new Response(files.get(name)) : null),
      put: async (name: string, file: Uint8Array) => {
        files.set(name, file);
        await planned.pop()?.();
      },
      delete: nothing,
    },
    POINTERS: { put: nothing, delete: nothing },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of them as is used
  const its = stores as Stores;
  await inRows(async (rows) => {
    const { write } = new Writer(rows.storage, rows);
    const training = new Training(rows, write, its);
    const teaching = new Teaching(rows, write, training);
    const rebasing = new Rebasing(rows, write, training, its);
    const request = { origin: OLD, train: true, idempotency: undefined };
    await teaching.teach('pets', { ...request, examples: [...examples('cat', 4), ...examples('dog', 4)] });
    rows.storage.sql.exec("UPDATE examples SET image = 'image of ' || id, image_bytes = 1");
    await task({ rows, teaching, rebasing, onceWritten: (next) => void planned.push(next) });
  }, its);
}

export async function pageOf({ rebasing }: Parts): Promise<{ example: string; code: Uint8Array }[]> {
  const page = await rebasing.page('pets', NEW);
  if ('refused' in page) throw new Error(page.refused.detail);
  return page.pictures.map(({ example, picture }) => {
    const [label, i] = picture.split(' ');
    return { example, code: codeOf(label, Number(i), NEW) };
  });
}

/** Makes codes of all pictures. */
export async function fill(parts: Parts): Promise<void> {
  await parts.rebasing.store('pets', NEW, await pageOf(parts));
}
