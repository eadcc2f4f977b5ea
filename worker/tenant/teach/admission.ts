/** Whether examples may be added to a head: of the same codes, not contradicting what is known, and not too many. */
import type { Conflict } from '../../../src/api/index.ts';
import { spaceInWords } from '../../../src/head/index.ts';
import {
  MAX_CLASSES_PER_TAUGHT_HEAD,
  MAX_EXAMPLES_PER_HEAD,
  MAX_EXAMPLES_PER_TENANT,
  MAX_HEADS_PER_TENANT,
} from '../../limits.ts';
import type { NewExample } from './example.ts';
import { refuse, type Refused } from '../refused.ts';
import type { Sql } from '../sql.ts';
import { sameOrigin, type CodeOrigin } from '../code-origin.ts';

export interface ClassCount {
  readonly label: string;
  readonly examples: number;
}

/** Tells new examples from known ones, and from those that contradict what is known or came before. */
export function sortNew(
  sql: Sql,
  head: string,
  examples: readonly NewExample[],
): { fresh: NewExample[]; conflicts: Conflict[] } {
  const found = new Map<string, { label: string; id?: string }>();
  const fresh: NewExample[] = [];
  const conflicts: Conflict[] = [];
  for (const example of examples) {
    const { picture, label } = example;
    const known = found.get(picture) ?? find(sql, head, picture);
    if (known === undefined) fresh.push(example);
    else if (known.label !== label) {
      conflicts.push({ picture, label, known_label: known.label, example: known.id });
    }
    found.set(picture, known ?? { label });
  }
  return { fresh, conflicts };
}

function find(sql: Sql, head: string, picture: string): { label: string; id: string } | undefined {
  return sql<{ label: string; id: string }>`
    SELECT label, id FROM examples WHERE head = ${head} AND picture = ${picture}`[0];
}
/** Which cap the new examples would exceed. @param known the classes that the head has; undefined where it is new. */
export function overflow(
  sql: Sql,
  head: string,
  known: readonly ClassCount[] | undefined,
  fresh: readonly NewExample[],
): Refused | undefined {
  const classes = known ?? [];
  const examples = fresh.length + classes.reduce((sum, each) => sum + each.examples, 0);
  if (examples > MAX_EXAMPLES_PER_HEAD) return tooMany(head, examples);
  const labels = new Set([...classes, ...fresh].map(({ label }) => label)).size;
  if (labels > MAX_CLASSES_PER_TAUGHT_HEAD) {
    return refuse(
      'limit_reached',
      `Head '${head}' would have ${labels} classes; at the edge a head is taught at most ${MAX_CLASSES_PER_TAUGHT_HEAD}.`,
    );
  }
  const [{ all }] = sql<{ all: number }>`SELECT example_count AS "all" FROM tenant`;
  if (all + fresh.length > MAX_EXAMPLES_PER_TENANT) {
    return refuse('limit_reached', `This tenant has ${all} examples of at most ${MAX_EXAMPLES_PER_TENANT}.`);
  }
  if (known !== undefined) return undefined;
  const [{ heads }] = sql<{ heads: number }>`SELECT count(*) AS heads FROM taught_heads`;
  if (heads >= MAX_HEADS_PER_TENANT) {
    return refuse(
      'limit_reached',
      `This tenant has ${heads} taught heads, as many as it may. Delete one first.`,
    );
  }
  return undefined;
}

/** Why codes of two origins can't be trained on together, or undefined. */
export function spaceMismatch(known: CodeOrigin, offered: CodeOrigin): string | undefined {
  if (sameOrigin(known, offered)) return undefined;
  if (known.base?.sha256 !== offered.base?.sha256)
    return 'is taught with codes of another head than these. Send the pictures, or embed them with ?head= anew.';
  if (known.weightsSha256 === offered.weightsSha256)
    return `was taught with codes of ${spaceInWords(known)}; these are of ${spaceInWords(offered)}. Embed the pictures with ?head=, or teach them themselves. Teach a new head for other codes.`;
  return `was taught with backbone ${known.name} ${known.version}; this Worker runs ${offered.name} ${offered.version}. Teach a new head.`;
}

export function conflict(conflicts: readonly Conflict[]): Refused {
  const [{ label, known_label: known }] = conflicts;
  const more = conflicts.length > 1 ? ` and ${conflicts.length - 1} more` : '';
  return refuse(
    'label_conflict',
    `A picture labelled '${label}' is known as '${known}'${more}: see conflicts. Nothing was stored; leave these pictures out, or delete the examples that are wrong.`,
    conflicts.slice(0, 50),
  );
}

function tooMany(head: string, examples: number): Refused {
  return refuse(
    'too_many_examples',
    `Head '${head}' would have ${examples} examples; at the edge a head is taught with at most ${MAX_EXAMPLES_PER_HEAD}. Train it with \`headwater train DIR --out FILE\` and upload it with \`headwater push FILE --head ${head}\`.`,
  );
}
