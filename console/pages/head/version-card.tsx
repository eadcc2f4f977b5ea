/** One version: what it is, how good, and what can be done with it. */
import { useState } from 'preact/hooks';
import type { Routing, VersionSummary } from '../../../src/api/index.ts';
import { client } from '../../state/session.ts';
import { Button } from '../../ui/button.tsx';
import { ago, bytes, dateAndTime, percent } from '../../ui/format.ts';
import { CanaryDialog } from './canary-dialog.tsx';

interface VersionCardProps {
  readonly head: string;
  readonly version: VersionSummary;
  readonly current: VersionSummary | undefined;
  /** Which versions answer; undefined where the Worker does not tell. */
  readonly routing: Routing | undefined;
  /** Does something about the version, and says so when it is done. */
  readonly onChange: (work: () => Promise<unknown>, news: string) => void;
}

export function VersionCard({ head, version, current, routing, onChange }: VersionCardProps) {
  const metrics = version.leave_one_out;
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
          <Roles version={version.version} routing={routing} />
        </h2>
        <p class="soft small">
          <time dateTime={version.created_at} title={dateAndTime(version.created_at)}>
            {ago(version.created_at)}
          </time>{' '}
          · {version.classes} classes, {version.examples} examples · {bytes(version.bytes)} · {version.method}
        </p>
      </div>
      <p>
        {metrics === null ? (
          <span class="soft">not judged</span>
        ) : (
          <>
            <strong class="metric">{percent(metrics.accuracy)}</strong>{' '}
            <Difference version={version} current={current} />
          </>
        )}
      </p>
      <Actions head={head} version={version} routing={routing} onChange={onChange} />
    </article>
  );
}

/** What else the version does: answers a part, answers in the shadow, goes by a name. */
function Roles({ version, routing }: { readonly version: number; readonly routing: Routing | undefined }) {
  if (routing === undefined) return null;
  const { canary, shadow, names } = routing;
  const roles = Object.entries(names).flatMap(([name, named]) => (named === version ? [name] : []));
  if (canary?.version === version) roles.unshift(`canary ${canary.percent} %`);
  if (shadow?.version === version) {
    roles.push(`shadow: ${shadow.disagreements} of ${shadow.requests} answered otherwise`);
  }
  return roles.map((role) => (
    <span class="badge" key={role}>
      {role}
    </span>
  ));
}

function Actions({
  head,
  version: { version, current },
  routing,
  onChange,
}: Omit<VersionCardProps, 'current'>) {
  const [canary, setCanary] = useState(false);
  const activate = (news: string, percent?: number): void =>
    onChange(() => client().activateVersion(head, version, { percent }), `Version ${version} ${news}`);
  return (
    <div class="row">
      <Button
        kind="plain"
        icon="download"
        label={`Download version ${version}`}
        onClick={() => onChange(() => download(head, version), `Version ${version} is downloaded.`)}
      />
      {!current && (
        <Button
          kind="plain"
          icon="trash"
          label={`Delete version ${version}`}
          onClick={() =>
            onChange(() => client().deleteVersion(head, version), `Version ${version} is deleted.`)
          }
        />
      )}
      {!current && (
        <Button onClick={() => setCanary(true)}>
          Canary<span class="out-of-sight"> version {version}</span>
        </Button>
      )}
      {current && routing?.canary !== undefined && (
        <Button onClick={() => activate('answers every request again.')}>End the canary</Button>
      )}
      {!current && (
        <Button icon="undo" onClick={() => activate('is in use, everywhere within 60 seconds.')}>
          Use version {version}
        </Button>
      )}
      {canary && (
        <CanaryDialog
          version={version}
          onClose={() => setCanary(false)}
          onChoose={(share) => activate(`answers ${share} % of the requests.`, share)}
        />
      )}
    </div>
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
