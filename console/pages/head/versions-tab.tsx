/** Versions of a head: which answers, how they compare, going back to one, deleting the head. */
import { useState } from 'preact/hooks';
import { useResource } from '../../state/resource.ts';
import { go } from '../../state/router.ts';
import { client } from '../../state/session.ts';
import { useTask } from '../../state/task.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Failure } from '../../ui/notice.tsx';
import { announce } from '../../ui/toast.tsx';
import { CompareVersions } from './compare-versions.tsx';
import type { TabProps } from './tab-props.ts';
import { VersionCard } from './version-card.tsx';

export function VersionsTab({ name, detail, reload }: TabProps) {
  const { error, run } = useTask();
  const [deleting, setDeleting] = useState(false);
  const routing = useResource((signal) => client().routing(name, { signal }), [name, detail]);
  if (detail === null) return null;
  const change = (work: () => Promise<unknown>, news: string): void =>
    void run(async () => {
      await work();
      announce(news);
      reload();
    });
  const current = detail.versions.find((version) => version.current);
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <ol class="stack" aria-label="Versions, newest first">
        {detail.versions.map((version) => (
          <li key={version.version}>
            <VersionCard
              head={name}
              version={version}
              current={current}
              routing={routing.data}
              onChange={change}
            />
          </li>
        ))}
      </ol>
      {detail.versions.length > 1 && <CompareVersions versions={detail.versions} />}
      <section class="card stack">
        <h2>Delete this head</h2>
        <p class="soft">All its versions and examples go with it. This can’t be undone.</p>
        <div>
          <Button kind="danger" icon="trash" onClick={() => setDeleting(true)}>
            Delete {name}
          </Button>
        </div>
      </section>
      {deleting && (
        <Confirm
          title={`Delete ${name}?`}
          action="Delete"
          onClose={() => setDeleting(false)}
          onSubmit={async () => {
            await client().deleteHead(name);
            announce(`${name} is deleted.`);
            go('heads');
          }}
        >
          All its versions and examples are deleted. Programs that use it stop working. This can’t be undone.
        </Confirm>
      )}
    </>
  );
}
