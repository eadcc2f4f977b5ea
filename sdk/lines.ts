/** Newline-delimited JSON as it arrives. */
import { parseJson } from './errors.ts';

/** @returns each line's value, undefined for one that isn't JSON; empty lines are left out. */
export async function* linesOf(response: Response): AsyncGenerator<unknown, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value = '' } = await reader.read();
      const lines = `${rest}${value}`.split('\n');
      rest = done ? '' : (lines.pop() ?? '');
      for (const line of lines) if (line.trim() !== '') yield parseJson(line);
      if (done) return;
    }
  } finally {
    // Whoever stops reading early lets the Worker stop, too.
    await reader.cancel().catch(() => undefined);
  }
}
