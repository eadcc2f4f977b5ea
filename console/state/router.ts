/** Where the user is, kept in the address's hash, so that the page needs no route of the server's. */
import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

/** The hash's segments, decoded: '#/heads/cats/try' is ['heads', 'cats', 'try']. */
export const place = computed<readonly string[]>(() =>
  hash.value
    .replace(/^#?\/?/, '')
    .split('/')
    .filter((segment) => segment !== '')
    .map(decoded),
);

export function link(...segments: readonly string[]): string {
  return `#/${segments.map(encodeURIComponent).join('/')}`;
}

export function go(...segments: readonly string[]): void {
  location.hash = link(...segments);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
