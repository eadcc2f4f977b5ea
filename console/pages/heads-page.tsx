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

export function HeadsPage() {
  const heads = useResource((signal) => client().listHeads({ signal }), []);
  const [making, setMaking] = useState(false);
  return (
    <>
      <div class="page-head">
        <h1>Heads</h1>
        <Button kind="main" icon="plus" onClick={() => setMaking(true)}>
          New head
        </Button>
      </div>
      {heads.error !== undefined && <Failure error={heads.error} onRetry={heads.reload} />}
      {heads.data === undefined && heads.error === undefined && <Loading what="heads" />}
      {heads.data?.length === 0 && <NoHeads />}
      <ul class="grid">
        {heads.data?.map((head) => (
          <li key={head.head}>
            <HeadCard summary={head} />
          </li>
        ))}
      </ul>
      {making && <NewHeadDialog onClose={() => setMaking(false)} />}
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
  const figures = detail?.versions.find(({ current }) => current)?.leave_one_out;
  if (figures === undefined) return <p class="soft head-card-quality">…</p>;
  if (figures === null) return <p class="soft head-card-quality">Too few examples to judge it by.</p>;
  return (
    <div class="head-card-quality stack-s">
      <p>
        <strong class="figure">{percent(figures.accuracy)}</strong> <span class="soft">accuracy</span>
      </p>
      <AccuracyMeter figures={figures} />
    </div>
  );
}

function examplesOf(detail: HeadDetail): number {
  return detail.classes.reduce((sum, { examples }) => sum + examples, 0);
}

function latest(detail: HeadDetail): string {
  return detail.versions[0]?.created_at ?? detail.created_at;
}
