/** The HTML report: one file without a single outside resource, so that it can be mailed and kept. */
import type { Skipped } from '../datasets/dataset.ts';
import type { Judgement, NamedEvaluation } from '../evaluation/evaluation.ts';
import { lossInterval, percent, percentInterval } from '../evaluation/metrics-text.ts';
import { writeWhole } from '../files.ts';
import { loadDecoder } from '../runtime.ts';
import { classChart, MAX_BARS, reliabilityChart } from './charts.ts';
import { confusedPairs, confusionTable } from './confusion.ts';
import { html, Html, NOTHING, table } from './html.ts';
import { STYLE } from './style.ts';
import { createThumbnailer, type Thumbnailer } from './thumbnails.ts';

export interface ReportInput {
  readonly title: string;
  /** One line below the title. */
  readonly subtitle: string;
  /** The most telling first: its plots are drawn. None where too little is known. */
  readonly evaluations: readonly NamedEvaluation[];
  /** Name and value, in words. */
  readonly facts: readonly (readonly [string, string])[];
  readonly skipped: readonly Skipped[];
  /** More sections, after the plots. */
  readonly sections?: readonly Html[];
}

/** Thumbnails, of each evaluation, of the mistakes that the head was surest of. */
const MAX_THUMBNAILS = 18;
const MAX_SKIPPED_ROWS = 200;

/** @throws FileError */
export async function writeReport(path: string, input: ReportInput): Promise<void> {
  await writeWhole(path, await renderReport(input));
}

async function renderReport(input: ReportInput): Promise<string> {
  const { evaluations } = input;
  const thumbnailer = await createThumbnailer(await loadDecoder());
  const galleries = await Array.fromAsync(evaluations, (evaluation) => gallery(evaluation, thumbnailer));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${input.title}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${input.title}</h1>
          <p class="note">${input.subtitle}</p>
          ${tiles(evaluations)}
          <div class="grid">
            ${evaluations.slice(0, 1).map(plots)} ${[...(input.sections ?? [])]} ${galleries} ${facts(input)}
            ${skippedFiles(input.skipped)}
          </div>
        </main>
      </body>
    </html> `;
  return page.text;
}

function plots({ name, labels, metrics }: NamedEvaluation): Html {
  const classes = metrics.perClass.map((c, i) => ({ label: labels[i], ...c })).filter((c) => c.support > 0);
  const bars = classes.length > MAX_BARS ? classes.toSorted((a, b) => a.f1 - b.f1) : classes;
  const hidden = Math.max(classes.length - MAX_BARS, 0);
  const more =
    hidden === 0 ? NOTHING : html`<p class="note">${hidden} classes that do better are not shown.</p>`;
  return html`<section>
      <h2>Confusion matrix, ${name}</h2>
      ${confusionTable(labels, metrics.confusion)}
    </section>
    <section>
      <h2>Reliability, ${name}</h2>
      <p class="note">
        On the dashed line a score of 80 % is right 80 times in 100. Calibration error
        ${metrics.calibrationError.toFixed(3)}.
      </p>
      ${new Html(reliabilityChart(metrics.reliability))}
    </section>
    <section>
      <h2>Classes, ${name}</h2>
      <p class="note">Thin lines: 95 % intervals.</p>
      ${new Html(classChart(bars))}${more}
    </section>
    <section>
      <h2>Most confused classes, ${name}</h2>
      ${confusedPairs(labels, metrics.confusion)}
    </section>`;
}

function tiles(evaluations: readonly NamedEvaluation[]): Html {
  if (evaluations.length === 0) return html`<p>No class has two pictures: there are no metrics.</p>`;
  const accuracies = evaluations.map(({ name, metrics }) =>
    tile(`Accuracy, ${name}`, percent(metrics.accuracy), within(percentInterval(metrics.accuracyInterval))),
  );
  const main = evaluations[0].metrics;
  return html`<div class="tiles">
    ${accuracies} ${tile('Macro F1', percent(main.macroF1), within(percentInterval(main.macroF1Interval)))}
    ${tile('Log-loss', main.logLoss.toFixed(3), within(lossInterval(main.logLossInterval)))}
    ${tile('Calibration error', main.calibrationError.toFixed(3), '15 bins')}
  </div>`;
}

function tile(name: string, value: string, small: string): Html {
  return html`<div class="tile"><span>${name}</span><b>${value}</b><small>${small}</small></div>`;
}

function within(interval: string): string {
  return `95 %: ${interval}`;
}

async function gallery(
  { name, labels, judgements }: NamedEvaluation,
  thumbnailer: Thumbnailer,
): Promise<Html> {
  const worst = worstMistakes(judgements);
  const items = await Array.fromAsync(worst, (mistake) => galleryItem(mistake, labels, thumbnailer));
  const body =
    items.length === 0
      ? html`<p class="note">No mistakes.</p>`
      : html`<p class="note">
            Mistakes that the head was surest of. A wrong label in the data often shows up here first.
          </p>
          <ul class="pictures">
            ${items}
          </ul>`;
  return html`<section class="full">
    <h2>Most confused pictures, ${name}</h2>
    ${body}
  </section>`;
}

async function galleryItem(
  { picture, target, top, confidence, truthProbability }: Judgement,
  labels: readonly string[],
  thumbnailer: Thumbnailer,
): Promise<Html> {
  const small = await thumbnailer(picture.path);
  const image =
    small === undefined
      ? html`<div class="gone"></div>`
      : html`<img
          src="${small.uri}"
          width="${small.width}"
          height="${small.height}"
          alt="${picture.name}"
        />`;
  return html`<li>
    ${image}
    <div class="text">
      <b>${labels[top]}</b> ${percent(confidence)}<br />is ${labels[target]},
      ${percent(truthProbability)}<small>${picture.name}</small>
    </div>
  </li> `;
}

function worstMistakes(judgements: readonly Judgement[]): Judgement[] {
  return judgements
    .filter(({ top, target }) => top !== target)
    .sort((a, b) => b.confidence - b.truthProbability - (a.confidence - a.truthProbability))
    .slice(0, MAX_THUMBNAILS);
}

function facts({ facts }: ReportInput): Html {
  const rows = facts.map(
    ([name, value]) =>
      html`<tr>
        <th scope="row">${name}</th>
        <td>${value}</td>
      </tr>`,
  );
  return html`<section class="full">
    <h2>How it came to be</h2>
    <div class="scroll">
      <table>
        ${rows}
      </table>
    </div>
  </section>`;
}

function skippedFiles(skipped: readonly Skipped[]): Html {
  if (skipped.length === 0) return NOTHING;
  const rows = skipped.slice(0, MAX_SKIPPED_ROWS).map(({ name, reason, detail }) => [name, reason, detail]);
  const more = skipped.length - rows.length;
  const note = more > 0 ? html`<p class="note">… and ${more} more</p>` : NOTHING;
  return html`<section class="full">
    <h2>Files that were not used: ${skipped.length}</h2>
    <details>
      <summary>Show</summary>
      ${table(['file', 'reason', 'detail'], rows)} ${note}
    </details>
  </section>`;
}
