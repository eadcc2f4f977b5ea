/** What the programs that npm starts have in common: options, `--help`, and errors in words. */
import { inspect, parseArgs, type ParseArgsConfig } from 'node:util';

/** A call that cannot be understood: the usage is printed below its message. */
export class UsageError extends RangeError {}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * Reads this process's arguments and runs the program, whose result becomes the exit code. A wrong call ends with 2, any other
 * error with 1 and its message.
 */
export async function command<const T extends Options>(
  usage: string,
  options: T,
  run: (values: Values<T>) => Promise<number | void>,
): Promise<void> {
  try {
    if (process.argv.includes('--help', 2)) console.log(usage);
    else process.exitCode = (await run(valuesOf(options))) ?? 0;
  } catch (error) {
    console.error(explain(error));
    if (error instanceof UsageError) console.error(`\n${usage}`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

function valuesOf<const T extends Options>(options: T): Values<T> {
  try {
    return parseArgs({ options }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function explain(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    return 'The disk is full. Headwater needs about 1.5 GB for its dependencies and a few MB for its stores.';
  // These are faults of the program itself or of the network beneath it: where they happened says more than their words.
  if (error instanceof TypeError || error instanceof ReferenceError) return inspect(error);
  return error instanceof Error ? error.message : String(error);
}

/** @throws UsageError */
export function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port ${text}: not a port (0 to 65535).`);
}
