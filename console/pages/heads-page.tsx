/** All heads at a glance, each with how good it is. */
import { useState } from 'preact/hooks';
import type { HeadDetail, HeadSummary } from '../../src/api/index.ts';
import { AccuracyMeter } from '../charts/accuracy-meter.tsx';
import { useResource } from '../state/resource.ts';
import { link } from '../state/router.ts';
import { client } from '../state/session.ts';
import { Button } from '../ui/button.tsx';
import { ago, count, percent } from '../ui/format.ts';
import { Failure, Loading } from '../ui/notice.tsx';
import { NewHeadDialog } from './new-head-dialog.tsx';

/** Heads on a page; each card requests the details of its head. */
const HEADS_PER_PAGE = 60;

export function HeadsPage() {
  const [making, setMaking] = useState(false);
  return (
    <>
      <div class="page-head">
        <h1>Heads</h1>
        <Button kind="main" icon="plus" onClick={() => setMaking(true)}>
          New head
        </Button>
      </div>
      <HeadCards after={undefined} />
      {making && <NewHeadDialog onClose={() => setMaking(false)} />}
    </>
  );
}

/** A page of heads, and the next one on request. */
function HeadCards({ after }: { readonly after: string | undefined }) {
  const { data, error, reload } = useResource(
    (signal) => client().listHeadsPage({ after, limit: HEADS_PER_PAGE, signal }),
    [after],
  );
  const [more, setMore] = useState(false);
  const next = data?.next;
  return (
    <>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading what="heads" />}
      {after === undefined && data?.heads.length === 0 && <NoHeads />}
      <ul class="grid">
        {data?.heads.map((head) => (
          <li key={head.head}>
            <HeadCard summary={head} />
          </li>
        ))}
      </ul>
      {next !== undefined && !more && <Button onClick={() => setMore(true)}>Show more heads</Button>}
      {next !== undefined && more && <HeadCards after={next} />}
    </>
  );
}

function NoHeads() {
  return (
    <div class="empty">
      <h2>No heads yet</h2>
      <p>
        A head is a classifier of your own. Name one, give it two classes with a few pictures each, and it
        works a moment later.
      </p>
    </div>
  );
}

function HeadCard({ summary }: { readonly summary: HeadSummary }) {
  const { data } = useResource(
    (signal) => client().describeHead(summary.head, { signal }),
    [summary.version],
  );
  return (
    <a class="card head-card stack" href={link('heads', summary.head)}>
      <div class="row row-apart">
        <h2 class="break">{summary.head}</h2>
        <span class="badge">version {summary.version}</span>
      </div>
      <Quality detail={data} />
      <p class="soft small">
        {count(summary.classes, 'class', 'classes')}
        {data && `, ${count(examplesOf(data), 'example')} · ${ago(latest(data))}`}
      </p>
    </a>
  );
}

function Quality({ detail }: { readonly detail: HeadDetail | undefined }) {
  const metrics = detail?.versions.find(({ current }) => current)?.leave_one_out;
  if (metrics === undefined) return <p class="soft head-card-quality">…</p>;
  if (metrics === null) return <p class="soft head-card-quality">Too few examples to judge it by.</p>;
  return (
    <div class="head-card-quality stack-s">
      <p>
        <strong class="metric">{percent(metrics.accuracy)}</strong> <span class="soft">accuracy</span>
      </p>
      <AccuracyMeter metrics={metrics} />
    </div>
  );
}

function examplesOf(detail: HeadDetail): number {
  return detail.classes.reduce((sum, { examples }) => sum + examples, 0);
}

function latest(detail: HeadDetail): string {
  return detail.versions[0]?.created_at ?? detail.created_at;
}
