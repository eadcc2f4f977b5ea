/** Runs a task for each item, a few at a time, in order of the items. The first failure ends the whole. */
export async function concurrently<T>(
  items: Iterable<T>,
  limit: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = [...items].entries();
  const runner = async (): Promise<void> => {
    for (const [index, item] of queue) await task(item, index);
  };
  await Promise.all(Array.from({ length: limit }, runner));
}
