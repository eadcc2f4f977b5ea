/** The confusion matrix as a table whose cells darken with the share of the class, and the pairs most often confused. */
import { html, NOTHING, table, type Html } from './html.ts';

/** More rows than this nobody reads; the classes with the most mistakes are shown. */
const MAX_CLASSES = 30;
const MAX_PAIRS = 12;

/** confusion[truth][predicted], counts. */
type Confusion = readonly (readonly number[])[];

export function confusionTable(labels: readonly string[], confusion: Confusion): Html {
  const shown = classesToShow(confusion);
  const note =
    shown.length < labels.length
      ? html`<p class="note">The ${shown.length} of ${labels.length} classes with the most mistakes.</p>`
      : NOTHING;
  const columns = shown.map((c) => html`<th scope="col"><span>${labels[c]}</span></th>`);
  const rows = shown.map((truth) => {
    const support = sum(confusion[truth]);
    const cells = shown.map((predicted) => cell(confusion[truth][predicted], support, truth === predicted));
    return html`<tr>
      <th scope="row">${labels[truth]}</th>
      ${cells}
    </tr>`;
  });
  return html`${note}
    <div class="scroll">
      <table class="confusion">
        <thead>
          <tr>
            <td class="corner"><span>is</span> \\ <span>called</span></td>
            ${columns}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

export function confusedPairs(labels: readonly string[], confusion: Confusion): Html {
  const pairs = confusion.flatMap((row, truth) =>
    row.flatMap((count, predicted) =>
      count > 0 && truth !== predicted ? [{ truth, predicted, count }] : [],
    ),
  );
  if (pairs.length === 0) return html`<p class="note">No mistakes.</p>`;
  const rows = pairs
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_PAIRS)
    .map(({ truth, predicted, count }) => {
      const share = Math.round((count / sum(confusion[truth])) * 100);
      return [labels[truth], labels[predicted], count, `${share} %`];
    });
  return table(['is', 'called', 'pictures', 'of the class'], rows, 2);
}

function cell(count: number, support: number, right: boolean): Html {
  if (count === 0) return html`<td></td>`;
  const share = Math.round((count / support) * 100);
  return html`<td
    class="${right ? 'right' : 'wrong'}"
    style="--share:${share}%"
    title="${share} % of the class"
  >
    ${count}
  </td>`;
}

/** All classes where they fit, else those with the most mistakes to or from them, in the order of the labels. */
function classesToShow(confusion: Confusion): number[] {
  const all = confusion.map((_, c) => c);
  if (all.length <= MAX_CLASSES) return all;
  const mistakes = all.map(
    (c) => sum(confusion[c]) + sum(confusion.map((row) => row[c])) - 2 * confusion[c][c],
  );
  return all
    .sort((a, b) => mistakes[b] - mistakes[a])
    .slice(0, MAX_CLASSES)
    .sort((a, b) => a - b);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
