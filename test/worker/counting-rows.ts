/** Storage that tells how many rows are touched. */

/** The same storage, which adds up the rows that are read and written. */
export function countingRows(storage: DurableObjectStorage): {
  storage: DurableObjectStorage;
  rows: { n: number };
} {
  const rows = { n: 0 };
  const exec = (query: string, ...bindings: unknown[]) => {
    const cursor = storage.sql.exec(query, ...bindings);
    const found = cursor.toArray();
    rows.n += cursor.rowsRead + cursor.rowsWritten;
    return {
      toArray: () => found,
      one: () => found[0],
      [Symbol.iterator]: () => found[Symbol.iterator](),
      rowsWritten: cursor.rowsWritten,
    };
  };
  const counted = new Proxy(storage, {
    get(target, name): unknown {
      const value: unknown = name === 'sql' ? { exec } : Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { storage: counted, rows };
}
