/** The confusion matrix: a row for each true class, a column for each answer. */

interface Props {
  readonly labels: readonly string[];
  /** confusion[truth][predicted], counts. */
  readonly confusion: readonly (readonly number[])[];
}

export function ConfusionMatrix({ labels, confusion }: Props) {
  return (
    <div class="table-wrap" tabIndex={0} role="region" aria-label="Confusion matrix">
      <table class="confusion">
        <caption class="soft small">Rows: what it is. Columns: what it was called.</caption>
        <thead>
          <tr>
            <td />
            {labels.map((label) => (
              <th scope="col" key={label} title={label}>
                <span>{label}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, truth) => {
            const total = row.reduce((sum, n) => sum + n, 0);
            return (
              <tr key={labels[truth]}>
                <th scope="row" title={labels[truth]}>
                  {labels[truth]}
                </th>
                {row.map((n, predicted) => (
                  <Cell
                    key={labels[predicted]}
                    n={n}
                    share={total === 0 ? 0 : n / total}
                    right={truth === predicted}
                  />
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ n, share, right }: { readonly n: number; readonly share: number; readonly right: boolean }) {
  const strong = share > 0.5 ? true : undefined;
  return (
    <td data-right={right ? true : undefined} data-strong={strong} style={{ '--share': share.toFixed(3) }}>
      {n === 0 ? <span class="soft">0</span> : n}
    </td>
  );
}
