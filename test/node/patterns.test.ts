/**
 * Every pattern of the project takes a time that grows as its input does: `recheck` looks for texts on which it would grow
 * faster. Patterns are found in the syntax tree; schemas' patterns are literals, and routes' stand in their addresses.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSync } from 'recheck';
import { parseSync, Visitor } from 'vite';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/build/stale.ts';

const FILES = globSync('{src,worker,trainer,sdk,console,scripts,bench}/**/*.{ts,tsx,mjs}', {
  cwd: root,
  // The benchmark's peers are installed in its own folder.
  exclude: ['**/node_modules'],
})
  // AssemblyScript has no patterns and is no TypeScript.
  .filter((file) => !/^src[/\\]wasm[/\\]|\.as\.ts$/.test(file));

/** Where patterns are put together from text, and from which. */
const PUT_TOGETHER = [
  // A fixed text around the number of a process.
  'bench/processes.ts',
  // Routes' patterns, which are found in their addresses.
  'worker/http/route-not-found.ts',
];

const ROUTE_PATTERN = /:[a-zA-Z]+\{([^{}]+)\}/g;

/** Pattern and flags, by the literal; where each stands first. */
const patterns = new Map<string, { pattern: string; flags: string; file: string }>();
const putTogether = new Set<string>();
for (const file of FILES) collect(file);

function collect(file: string): void {
  const { program, errors } = parseSync(file, readFileSync(join(root, file), 'utf8'));
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const note = (pattern: string, flags: string): void => {
    const literal = `/${pattern}/${flags}`;
    if (!patterns.has(literal)) patterns.set(literal, { pattern, flags, file });
  };
  const noteCall = (callee: { readonly type: string; readonly name?: unknown }): void => {
    if (callee.type === 'Identifier' && callee.name === 'RegExp') putTogether.add(file);
  };
  new Visitor({
    Literal(node) {
      if ('regex' in node) note(node.regex.pattern, node.regex.flags);
      else if (typeof node.value === 'string')
        for (const [, pattern] of node.value.matchAll(ROUTE_PATTERN)) note(`^${pattern}$`, '');
    },
    NewExpression: ({ callee }) => noteCall(callee),
    CallExpression: ({ callee }) => noteCall(callee),
  }).visit(program);
}

describe('patterns', () => {
  it('are found, those of schemas and of routes too', () => {
    const found = [...patterns.keys()];
    expect(found).toContain('/^[0-9a-f]{64}$/');
    expect(found).toContain(String.raw`/^v3\.[0-9][a-z0-9.-]*$/`);
  });

  it('are written out, but where it is known what they are made of', () => {
    expect([...putTogether].sort()).toEqual(PUT_TOGETHER);
  });

  it.each([...patterns])('%s takes linear time', (_, { pattern, flags, file }) => {
    const { status } = checkSync(pattern, flags);
    expect({ file, status }).toEqual({ file, status: 'safe' });
  });

  it('that take longer are told', () => {
    expect(checkSync('^Bearer +(\\S.*?) *$', 'i')).toMatchObject({
      status: 'vulnerable',
      complexity: { type: 'polynomial' },
    });
  });
});
