/** One head: its state in a line, and a tab for each thing that one does with it. */
import type { HeadDetail } from '../../../src/api/index.ts';
import { orNull, useResource } from '../../state/resource.ts';
import { link, place } from '../../state/router.ts';
import { client } from '../../state/session.ts';
import { count, percent } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Failure, Loading } from '../../ui/notice.tsx';
import { MoveNotice } from './move-notice.tsx';
import { QualityTab } from './quality-tab.tsx';
import { ReviewTab } from './review-tab.tsx';
import type { TabProps } from './tab-props.ts';
import { TeachTab } from './teach-tab.tsx';
import { TryTab } from './try-tab.tsx';
import { UseTab } from './use-tab.tsx';
import { VersionsTab } from './versions-tab.tsx';

const TABS = [
  { id: 'teach', text: 'Teach', Tab: TeachTab },
  { id: 'quality', text: 'Quality', Tab: QualityTab },
  { id: 'try', text: 'Try it', Tab: TryTab },
  { id: 'versions', text: 'Versions', Tab: VersionsTab },
  { id: 'review', text: 'Review', Tab: ReviewTab },
  { id: 'use', text: 'Use it', Tab: UseTab },
] as const;

export function HeadPage({ name }: { readonly name: string }) {
  const { data, error, reload } = useResource(
    (signal) => orNull(client().describeHead(name, { signal }), 'head_not_found'),
    [name],
  );
  return (
    <>
      <div class="stack-s">
        <a class="back small" href={link('heads')}>
          <Icon name="back" size={14} /> All heads
        </a>
        <div class="page-head">
          <h1>{name}</h1>
          {data && <State detail={data} />}
        </div>
      </div>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading what={name} />}
      {data && <MoveNotice key={name} name={name} detail={data} reload={reload} />}
      {data !== undefined && <Tabs name={name} detail={data} reload={reload} />}
    </>
  );
}

function Tabs(props: TabProps) {
  const { name, detail } = props;
  // A head that was never taught can only be taught.
  const tabs = detail === null ? [TABS[0]] : TABS;
  const wanted = place.value[2];
  const shown = tabs.find(({ id }) => id === wanted) ?? tabs[0];
  return (
    <>
      {tabs.length > 1 && (
        <nav class="tabs" aria-label={`Head ${name}`}>
          {tabs.map(({ id, text }) => (
            <a
              key={id}
              ref={id === shown.id ? scrollIntoView : null}
              href={link('heads', name, id)}
              aria-current={id === shown.id ? 'page' : undefined}
            >
              {text}
            </a>
          ))}
        </nav>
      )}
      <shown.Tab {...props} />
    </>
  );
}

/** On a narrow screen, the tabs are wider than it. */
function scrollIntoView(tab: HTMLElement | null): void {
  tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function State({ detail }: { readonly detail: HeadDetail }) {
  const metrics = detail.versions.find(({ current }) => current)?.leave_one_out;
  const examples = detail.classes.reduce((sum, one) => sum + one.examples, 0);
  return (
    <p class="row">
      {metrics && (
        <span class="badge" data-tone="accent">
          {percent(metrics.accuracy)} accuracy
        </span>
      )}
      <span class="badge">version {detail.version}</span>
      <span class="badge">{count(detail.classes.length, 'class', 'classes')}</span>
      <span class="badge">{count(examples, 'example')}</span>
    </p>
  );
}
