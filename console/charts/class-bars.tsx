/** Precision and recall of each class, side by side. */
import type { HeadDetail } from '../../src/api/index.ts';
import { percent } from '../ui/format.ts';

type ClassSummary = HeadDetail['classes'][number];

export function ClassBars({ classes }: { readonly classes: readonly ClassSummary[] }) {
  return (
    <div class="table-wrap" tabIndex={0} role="region" aria-label="Metrics of each class">
      <table class="table class-bars">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col" class="end">
              Examples
            </th>
            <th scope="col">
              Recall
              <span class="out-of-sight">: share of the class’s pictures that are recognised</span>
            </th>
            <th scope="col">
              Precision
              <span class="out-of-sight">: share of pictures called so that are</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {classes.map(({ label, examples, recall, precision }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td class="end">{examples}</td>
              <td>
                <Share value={recall} />
              </td>
              <td>
                <Share value={precision} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Share({ value }: { readonly value: number | undefined }) {
  if (value === undefined) return <span class="soft">too few</span>;
  return (
    <span class="share">
      <span class="share-track" aria-hidden="true">
        <span style={{ width: `${100 * value}%` }} />
      </span>
      {percent(value, 0)}
    </span>
  );
}
