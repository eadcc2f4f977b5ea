/** SQL as tagged templates: sql`SELECT id FROM examples WHERE head = ${head}` binds the value of `head`; it never becomes part of the text. */

/** A part of a statement with the values in it. */
export interface SqlPart {
  readonly text: string;
  readonly values: readonly SqlStorageValue[];
}

type Inserted = SqlStorageValue | SqlPart;

/** Runs a statement to its end. @returns its rows. */
export type Sql = <R extends Record<string, SqlStorageValue>>(
  texts: TemplateStringsArray,
  ...inserted: Inserted[]
) => R[];

/** A condition, or whatever else stands in more than one statement: to be inserted into them. part([name]) is a name. */
export function part(texts: readonly string[], ...inserted: readonly Inserted[]): SqlPart {
  let text = texts[0];
  const values: SqlStorageValue[] = [];
  for (const [i, each] of inserted.entries()) {
    const { text: inner, values: its } = isPart(each) ? each : { text: '?', values: [each] };
    text += inner + texts[i + 1];
    values.push(...its);
  }
  return { text, values };
}

/** For the statements of one database. */
export const sqlOf =
  (storage: SqlStorage): Sql =>
  <R extends Record<string, SqlStorageValue>>(texts: TemplateStringsArray, ...inserted: Inserted[]) => {
    const { text, values } = part(texts, ...inserted);
    return storage.exec<R>(text, ...values).toArray();
  };

function isPart(value: Inserted): value is SqlPart {
  return typeof value === 'object' && value !== null && 'text' in value;
}

/** Rows of some tables, and the statements that read and change them. */
export abstract class Table {
  protected readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }
}
