/** The nodes of a TensorFlow.js graph model, checked: names, operators, inputs and the few attributes that matter here. */
import * as z from 'zod';
import { MAX_NAME_LENGTH, MAX_NODES } from '../limits.ts';
import { invalid, unsupported } from '../model-error.ts';

const name = z.string().min(1).max(MAX_NAME_LENGTH);
const number = z.union([z.number(), z.string().max(32)]);
const attributeSchema = z.object({
  s: z.string().max(4096).nullish(),
  i: number.nullish(),
  f: number.nullish(),
  b: z.boolean().nullish(),
  list: z
    .object({
      s: z.array(z.string().max(4096)).max(64).nullish(),
      i: z.array(number).max(64).nullish(),
    })
    .nullish(),
  shape: z
    .object({
      dim: z
        .array(z.object({ size: number.nullish() }))
        .max(16)
        .nullish(),
    })
    .nullish(),
});
const nodeSchema = z.object({
  name,
  op: name,
  input: z.array(name).max(256).nullish(),
  attr: z.record(z.string(), attributeSchema).nullish(),
});
const graphSchema = z.object({ node: z.array(nodeSchema).min(1).max(MAX_NODES) });

export class GraphNode {
  readonly name: string;
  readonly op: string;
  /** Names of the nodes it reads, without their ':0'. */
  readonly inputs: readonly string[];
  readonly #attributes: NonNullable<z.infer<typeof nodeSchema>['attr']>;

  constructor(json: z.infer<typeof nodeSchema>) {
    this.name = json.name;
    this.op = json.op;
    this.inputs = (json.input ?? []).filter((input) => !input.startsWith('^')).map(firstOutput);
    this.#attributes = json.attr ?? {};
  }

  /** A string attribute; model.json holds them in base64. */
  text(key: string): string | undefined {
    const value = this.#attributes[key]?.s;
    return value === undefined || value === null ? undefined : fromBase64(value);
  }

  texts(key: string): string[] {
    return (this.#attributes[key]?.list?.s ?? []).map(fromBase64);
  }

  integers(key: string): number[] {
    return (this.#attributes[key]?.list?.i ?? []).map((value) => toNumber(value, `${key} of '${this.name}'`));
  }

  float(key: string, fallback: number): number {
    const value = this.#attributes[key]?.f;
    return value === undefined || value === null ? fallback : toNumber(value, `${key} of '${this.name}'`);
  }

  flag(key: string): boolean {
    return this.#attributes[key]?.b ?? false;
  }

  /** Sizes of the attribute `shape`, −1 where unknown. */
  shape(): number[] | undefined {
    return this.#attributes['shape']?.shape?.dim?.map(({ size }) =>
      toNumber(size ?? -1, `shape of '${this.name}'`),
    );
  }
}

/**
 * @param topology `modelTopology` of a graph model.
 * @returns the nodes in an order in which each comes after those it reads.
 */
export function readGraph(topology: unknown): GraphNode[] {
  const parsed = graphSchema.safeParse(topology);
  if (!parsed.success) throw invalid(`modelTopology: ${z.prettifyError(parsed.error).slice(0, 500)}`);
  const nodes = new Map<string, GraphNode>();
  for (const json of parsed.data.node) {
    if (nodes.has(json.name)) throw invalid(`two nodes are named '${json.name}'`);
    nodes.set(json.name, new GraphNode(json));
  }
  return sorted(nodes);
}

/** Depth first, on a stack of its own: a chain of thousands of nodes must not exhaust the call stack. */
function sorted(nodes: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<GraphNode, 'open' | 'done'>();
  for (const start of nodes.values()) {
    const stack = [start];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const before = state.get(node);
      if (before !== undefined) {
        stack.pop();
        if (before === 'open') order.push(node);
        state.set(node, 'done');
        continue;
      }
      state.set(node, 'open');
      for (const input of node.inputs) {
        const next = nodes.get(input);
        if (next === undefined) throw invalid(`'${node.name}' reads '${input}', which does not exist`);
        if (state.get(next) === 'open') throw invalid(`'${input}' reads its own output`);
        if (!state.has(next)) stack.push(next);
      }
    }
  }
  return order;
}

function firstOutput(input: string): string {
  const [, node, output] = /^(.*?)(?::(\d+))?$/.exec(input) ?? [];
  if (output !== undefined && output !== '0')
    throw unsupported(`something reads the second output of '${node}'`);
  return node;
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

function toNumber(value: string | number, where: string): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw invalid(`${where} is no number`);
  return number;
}
