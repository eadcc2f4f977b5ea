/**
 * JSON from unknown senders: a list within lists takes thirty times its text once it is parsed, a small object up to twenty times;
 * 8 MB of brackets would fill a Worker's memory. So they are counted before they are parsed.
 */

/** What begins a list, an object, or a field's value. Those within strings count as well. */
const PARTS = ['[', '{', ':'];

/** Whether a text has more than `most` lists, objects and fields. */
export function hasMoreParts(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let parts = 0;
  for (const sign of PARTS)
    for (let at = text.indexOf(sign); at >= 0 && parts <= most; at = text.indexOf(sign, at + 1)) parts++;
  return parts > most;
}
