/** Who is signed in: an API key, kept for this tab's session and nowhere else, and the client that carries it. */
import { computed, signal } from '@preact/signals';
import { HeadwaterClient } from '../../sdk/client.ts';

const STORED_AS = 'headwater-key';

const key = signal<string | undefined>(sessionStorage.getItem(STORED_AS) ?? undefined);

/** Where the Worker answers: the origin that served this page. */
export const workerUrl = new URL('/', location.href);

/** undefined when nobody is signed in. */
export const session = computed(() =>
  key.value === undefined ? undefined : new HeadwaterClient({ url: workerUrl, key: key.value }),
);

/** @throws Error when nobody is signed in: pages that call it are shown only to those who are. */
export function client(): HeadwaterClient {
  if (session.value === undefined) throw new Error('Nobody is signed in.');
  return session.value;
}

/** Tries the key before keeping it. @throws ApiError when the Worker refuses it or does not answer. */
export async function signIn(candidate: string): Promise<void> {
  await new HeadwaterClient({ url: workerUrl, key: candidate }).listHeadsPage({ limit: 1 });
  sessionStorage.setItem(STORED_AS, candidate);
  key.value = candidate;
}

export function signOut(): void {
  sessionStorage.removeItem(STORED_AS);
  key.value = undefined;
}
