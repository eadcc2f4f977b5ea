/** Which Worker to talk to: from the options or the environment. */
import { HeadwaterClient } from '../../sdk/client.ts';
import { UsageError } from './failure.ts';

export interface WorkerOptions {
  readonly url?: string;
  readonly key?: string;
}

/** @throws UsageError when the address or the key is missing, or the address is none. */
export function clientFor({ url, key }: WorkerOptions): HeadwaterClient {
  if (url === undefined || url === '') {
    throw new UsageError('Which Worker? Give its address with --url or in HEADWATER_URL.');
  }
  if (key === undefined || key === '')
    throw new UsageError('Give an API key with --key or in HEADWATER_KEY.');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`'${url}' is no address; it looks like https://headwater.example.workers.dev.`);
  }
  return new HeadwaterClient({ url, key });
}

/** @throws UsageError for a name that no head can have. */
export function requireHeadName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) return name;
  throw new UsageError(
    `'${name}' is no name for a head: 1 to 63 of a-z 0-9 . _ - that begin with a letter or digit.`,
  );
}
