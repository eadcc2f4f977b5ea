import type { HeadDetail } from '../../../src/api/index.ts';

/** What every tab is given. `detail` is null for a head that was never taught. */
export interface TabProps {
  readonly name: string;
  readonly detail: HeadDetail | null;
  readonly reload: () => void;
}
