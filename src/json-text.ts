/**
 * JSON may write half of a UTF-16 surrogate pair as an escape. Such text has no form in UTF-8: stores and other programs
 * would replace it, so that it comes back as something else than was sent.
 */

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * Where a JSON value holds such text, its fields' names joined by dots and '' for the value itself; undefined where all is well.
 * @param text well-formed, as decoded from UTF-8. @param value what it was parsed to.
 */
export function illFormedText(text: string, value: unknown): string | undefined {
  // Only escapes can bring one in, and hardly any text has such escapes.
  return SURROGATE_ESCAPE.test(text) ? findIllFormed(value) : undefined;
}

interface Place {
  readonly value: unknown;
  readonly name: string;
  readonly within: Place | undefined;
}

function findIllFormed(value: unknown): string | undefined {
  // A list of its own: JSON may nest deeper than calls may.
  const rest: Place[] = [{ value, name: '', within: undefined }];
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    if (typeof place.value === 'string' && !place.value.isWellFormed()) return pathOf(place);
    if (typeof place.value !== 'object' || place.value === null) continue;
    for (const [name, inner] of Object.entries(place.value)) {
      if (!name.isWellFormed()) return pathOf(place);
      rest.push({ value: inner, name, within: place });
    }
  }
  return undefined;
}

function pathOf(place: Place): string {
  const names: string[] = [];
  for (let at = place; at.within !== undefined; at = at.within) names.push(at.name);
  return names.toReversed().join('.');
}
