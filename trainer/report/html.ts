/** Building blocks for HTML text in which nothing that comes from outside can act as markup. */

/** Text that is HTML already, made by `html` or known to be. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | Html[];

/** Tagged template: interpolated strings are escaped, Html is not. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? show(values[i]) : '')).join(''));
}

export const NOTHING = new Html('');

function show(value: Value): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map((part) => part.text).join('');
  return escapeHtml(`${value}`);
}

type Cells = readonly (string | number)[];

/** A table that scrolls where it is wider than the page. @param numbersFrom the first of the columns that hold numbers. */
export function table(head: Cells, rows: readonly Cells[], numbersFrom = Infinity): Html {
  const cellsOf = (cells: Cells, cell: (content: string | number, kind: string) => Html): Html =>
    html`<tr>
      ${cells.map((content, column) => cell(content, column < numbersFrom ? '' : 'number'))}
    </tr>`;
  return html`<div class="scroll">
    <table>
      <thead>
        ${cellsOf(head, (content, kind) => html`<th class="${kind}">${content}</th>`)}
      </thead>
      <tbody>
        ${rows.map((row) => cellsOf(row, (content, kind) => html`<td class="${kind}">${content}</td>`))}
      </tbody>
    </table>
  </div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
