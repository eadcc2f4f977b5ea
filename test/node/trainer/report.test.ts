import { describe, expect, test } from 'vitest';
import { auroc } from '../../../src/learn/statistics/auroc.ts';
import { classChart, reliabilityChart } from '../../../trainer/report/charts.ts';
import { confusionTable } from '../../../trainer/report/confusion.ts';
import { html } from '../../../trainer/report/html.ts';
import { duration, printable, table } from '../../../trainer/cli/terminal.ts';

const EVIL = `</text><script>alert("1")</script>&'`;

describe('HTML', () => {
  test('text from outside is escaped in content and attributes, nested HTML is not escaped twice', () => {
    const inner = html`<b title="${EVIL}">${EVIL}</b>`;
    const { text } = html`<p>${inner}${[inner]}${7}</p>`;
    const escaped = '&lt;/text&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;';
    const b = `<b title="${escaped}">${escaped}</b>`;
    expect(text).toBe(`<p>${b}${b}7</p>`);
  });

  test('charts and tables escape labels', () => {
    const bar = {
      label: EVIL,
      support: 3,
      predicted: 3,
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      precisionInterval: [0.2, 0.8],
      recallInterval: [0.2, 0.8],
    } as const;
    const chart = classChart([bar]);
    expect(chart).toContain('&lt;/text&gt;');
    expect(chart).not.toContain('<script');
    expect(
      confusionTable(
        [EVIL, 'b'],
        [
          [1, 2],
          [0, 3],
        ],
      ).text,
    ).not.toContain('<script');
  });

  test('charts follow the reader’s colours and carry no style of their own', () => {
    const chart = reliabilityChart([{ low: 0, high: 1, count: 4, confidence: 0.6, accuracy: 0.5 }]);
    expect(chart).toContain('var(--first)');
    expect(chart).not.toMatch(/#0[1-6]0[1-6]0[1-6]|<style|<svg width/);
  });

  test('of many classes the confusion matrix shows those with mistakes', () => {
    const labels = Array.from({ length: 50 }, (_, i) => `class-${i}`);
    const confusion = labels.map((_, truth) =>
      labels.map((_, called) => (called === truth ? 5 : truth >= 40 && called === 7 ? 1 : 0)),
    );
    const { text } = confusionTable(labels, confusion);
    expect(text).toContain('The 30 of 50 classes');
    for (const label of ['class-7', 'class-40', 'class-49'])
      expect(text).toContain(`<th scope="row">${label}</th>`);
  });
});

describe('terminal', () => {
  test('names cannot steer the terminal', () => {
    expect(printable('a\u001b[2Jb\u009b1m\n')).toBe('a\u{fffd}[2Jb\u{fffd}1m\u{fffd}');
    expect(table(['x'], [['\u001b]0;title\u0007']])).not.toContain('\u001b]');
  });

  test('durations read well', () => {
    expect([0.2, 89, 100, 5399, 5400].map(duration)).toEqual(['1 s', '89 s', '2 min', '90 min', '1.5 h']);
  });
});

describe('area under the ROC curve', () => {
  test.each([
    [[1, 2], [3, 4], 1],
    [[3, 4], [1, 2], 0],
    [[1, 1], [1], 0.5],
    [[1, 3], [2, 3], 0.625],
  ])('negatives %j, positives %j: %d', (negatives, positives, area) => {
    expect(auroc(Float64Array.from(negatives), Float64Array.from(positives))).toBe(area);
  });

  test('equals counting all pairs', () => {
    const negatives = Float64Array.from({ length: 37 }, (_, i) => (i * 7) % 11);
    const positives = Float64Array.from({ length: 23 }, (_, i) => (i * 5) % 13);
    let wins = 0;
    for (const p of positives) for (const n of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0;
    expect(auroc(negatives, positives)).toBeCloseTo(wins / (37 * 23), 12);
  });
});
