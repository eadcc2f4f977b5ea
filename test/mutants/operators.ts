/**
 * Small faults that a good test notices: the mutation operators of the field (conditional boundary and negation, arithmetic,
 * logical connector, boolean, removed statement), and a condition left out of an SQL statement.
 */
import { parseSync } from 'vite';

/** One fault: a stretch of a file and what stands in its place. */
export interface Mutant {
  /** Path from the root of the project. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly operator: string;
  /** Beginning of the body of the function that it is in, behind the brace; undefined outside of all functions. */
  readonly body: number | undefined;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

type Edit = Pick<Mutant, 'start' | 'end' | 'replacement' | 'operator'>;

const SWAPS: Readonly<Record<string, readonly [string, string]>> = {
  '<': ['<=', 'boundary'],
  '<=': ['<', 'boundary'],
  '>': ['>=', 'boundary'],
  '>=': ['>', 'boundary'],
  '===': ['!==', 'negation'],
  '!==': ['===', 'negation'],
  '+': ['-', 'arithmetic'],
  '-': ['+', 'arithmetic'],
  '*': ['/', 'arithmetic'],
  '/': ['*', 'arithmetic'],
  '%': ['*', 'arithmetic'],
  '<<': ['>>', 'arithmetic'],
  '>>': ['<<', 'arithmetic'],
  '>>>': ['<<', 'arithmetic'],
  '&': ['|', 'arithmetic'],
  '|': ['&', 'arithmetic'],
  '+=': ['-=', 'arithmetic'],
  '-=': ['+=', 'arithmetic'],
  '&&': ['||', 'connector'],
  '||': ['&&', 'connector'],
  '??': ['&&', 'connector'],
};

/** Types alone, and what only words a message or a log line. */
const LEFT_ALONE = new Set(['ImportDeclaration', 'ExportAllDeclaration', 'ThrowStatement']);

/** Every mutant of a TypeScript file, in the order of its text. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const found: Mutant[] = [];
  const visit = (node: Node, body: number | undefined): void => {
    if (LEFT_ALONE.has(node.type) || node.type.startsWith('TSType') || node.type.startsWith('TSInterface'))
      return;
    for (const edit of editsOf(node, source)) found.push({ file, ...edit, body });
    const inner = bodyOf(node) ?? body;
    for (const child of childrenOf(node)) visit(child, inner);
  };
  // Its own type tells all kinds of nodes apart; here they are walked by their fields.
  const tree: unknown = program;
  if (isNode(tree)) visit(tree, undefined);
  return found.sort((a, b) => a.start - b.start);
}

function bodyOf(node: Node): number | undefined {
  if (!node.type.endsWith('FunctionExpression') && node.type !== 'FunctionDeclaration') return undefined;
  const body = node['body'];
  return isNode(body) && body.type === 'BlockStatement' ? body.start + 1 : undefined;
}

function* childrenOf(node: Node): Generator<Node> {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield child;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function editsOf(node: Node, source: string): Edit[] {
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
      return swapped(node, source);
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'WhileStatement':
      return negated(node['test'], source);
    case 'ExpressionStatement':
      return removed(node, source);
    case 'AssignmentExpression':
      return swapped(node, source);
    case 'Literal':
      return typeof node['value'] === 'boolean'
        ? [replace(node, String(!node['value']), 'boolean')]
        : sqlEdits(node, source);
    case 'TemplateElement':
      return sqlEdits(node, source);
    default:
      return [];
  }
}

function swapped(node: Node, source: string): Edit[] {
  const { left, right, operator } = node;
  if (!isNode(left) || !isNode(right) || typeof operator !== 'string') return [];
  const swap = SWAPS[operator];
  // Text that is put together with + words a message.
  if (swap === undefined || (operator === '+' && /['`]/.test(source.slice(node.start, node.end)))) return [];
  const at = source.indexOf(operator, left.end);
  if (at < 0 || at >= right.start) return [];
  return [{ start: at, end: at + operator.length, replacement: swap[0], operator: swap[1] }];
}

function negated(test: unknown, source: string): Edit[] {
  if (!isNode(test) || test.type === 'BinaryExpression') return [];
  return [replace(test, `!(${source.slice(test.start, test.end)})`, 'negation')];
}

function removed(node: Node, source: string): Edit[] {
  const text = source.slice(node.start, node.end);
  return /^(console\.|super\(|'use )/.test(text) ? [] : [replace(node, ';', 'removed statement')];
}

/** Each `AND condition` of an SQL statement, left out. */
function sqlEdits(node: Node, source: string): Edit[] {
  const text = source.slice(node.start, node.end);
  if (!/\b(SELECT|UPDATE|DELETE|INSERT)\b/.test(text)) return [];
  return Array.from(
    text.matchAll(/ AND [\w.]+( IS NOT NULL| IS NULL| ?(=|<>|<|>|<=|>=) ?[\w?.]+)?/g),
    (match) => ({
      start: node.start + match.index,
      end: node.start + match.index + match[0].length,
      replacement: '',
      operator: 'SQL condition',
    }),
  );
}

const replace = (node: Node, replacement: string, operator: string): Edit => ({
  start: node.start,
  end: node.end,
  replacement,
  operator,
});
