/** Versions of a head: which answers, how they compare, going back to one, deleting the head. */
import { useState } from 'preact/hooks';
import type { VersionSummary } from '../../../src/api/index.ts';
import { go } from '../../state/router.ts';
import { client } from '../../state/session.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { ago, bytes, dateAndTime, percent } from '../../ui/format.ts';
import { Failure } from '../../ui/notice.tsx';
import { announce } from '../../ui/toast.tsx';
import { CompareVersions } from './compare-versions.tsx';
import type { TabProps } from './head-page.tsx';

export function VersionsTab({ name, detail, reload }: TabProps) {
  const [error, setError] = useState<unknown>();
  const [deleting, setDeleting] = useState(false);
  if (detail === null) return null;
  const activate = async (version: number): Promise<void> => {
    setError(undefined);
    try {
      await client().activateVersion(name, version);
      announce(`Version ${version} is in use, everywhere within 60 seconds.`);
      reload();
    } catch (failure) {
      setError(failure);
    }
  };
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
              onActivate={() => void activate(version.version)}
              onFailure={setError}
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
          onConfirm={async () => {
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

interface VersionCardProps {
  readonly head: string;
  readonly version: VersionSummary;
  readonly current: VersionSummary | undefined;
  readonly onActivate: () => void;
  readonly onFailure: (error: unknown) => void;
}

function VersionCard({ head, version, current, onActivate, onFailure }: VersionCardProps) {
  const figures = version.leave_one_out;
  return (
    <article class="card version-card" data-current={version.current ? true : undefined}>
      <div class="stack-s">
        <h2 class="row">
          Version {version.version}
          {version.current && (
            <span class="badge" data-tone="accent">
              in use
            </span>
          )}
        </h2>
        <p class="soft small">
          <time dateTime={version.created_at} title={dateAndTime(version.created_at)}>
            {ago(version.created_at)}
          </time>{' '}
          · {version.classes} classes, {version.examples} examples · {bytes(version.bytes)} · {version.method}
        </p>
      </div>
      <p>
        {figures === null ? (
          <span class="soft">not judged</span>
        ) : (
          <>
            <strong class="figure">{percent(figures.accuracy)}</strong>{' '}
            <Difference version={version} current={current} />
          </>
        )}
      </p>
      <div class="row">
        <Button
          kind="plain"
          icon="download"
          label={`Download version ${version.version}`}
          onClick={() => void download(head, version.version).catch(onFailure)}
        />
        {!version.current && (
          <Button icon="undo" onClick={onActivate}>
            Use version {version.version}
          </Button>
        )}
      </div>
    </article>
  );
}

/** Accuracy against the version in use, in percentage points. */
function Difference({ version, current }: Pick<VersionCardProps, 'version' | 'current'>) {
  const mine = version.leave_one_out;
  const theirs = current?.leave_one_out;
  if (version.current || !mine || !theirs) return <span class="soft small">accuracy</span>;
  const points = 100 * (mine.accuracy - theirs.accuracy);
  return (
    <span class="soft small">
      {points >= 0 ? '+' : '−'}
      {Math.abs(points).toFixed(1)} points
    </span>
  );
}

async function download(head: string, version: number): Promise<void> {
  const url = URL.createObjectURL(await client().downloadVersion(head, version));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = `${head}-${version}.safetensors`;
  anchor.click();
  // The browser has the file by its own handle once the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
