/**
 * The report's charts as SVG text, drawn by ECharts on the server's side. Colours are CSS variables, so that a chart
 * follows the reader's light or dark mode; each chart comes in a narrow and a wide drawing, so that text stays readable
 * on a phone.
 */
import { BarChart, CustomChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { ClassMetrics } from '../../src/head/metrics.ts';
import type { ReliabilityBin } from '../../src/learn/statistics/metrics.ts';

echarts.use([
  BarChart,
  LineChart,
  CustomChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  SVGRenderer,
]);

/** ECharts computes with colours and knows no CSS variables: each variable has a stand-in, replaced in the SVG. */
const COLOURS = {
  '#010101': 'var(--ink)',
  '#020202': 'var(--muted)',
  '#030303': 'var(--line)',
  '#040404': 'var(--first)',
  '#050505': 'var(--second)',
} as const;
const [INK, MUTED, LINE, FIRST, SECOND] = Object.keys(COLOURS);

const WIDTHS = { narrow: 340, wide: 560 } as const;
const ROW_PX = { narrow: 38, wide: 34 } as const;
/** More bars than this are no chart any more; the classes that do worst are drawn. */
export const MAX_BARS = 40;

type Option = Parameters<ReturnType<typeof echarts.init>['setOption']>[0];

/** Confidence against the share of right answers, with the number of pictures behind each bar. */
export function reliabilityChart(bins: readonly ReliabilityBin[]): string {
  const filled = bins.filter((bin) => bin.count > 0);
  const total = filled.reduce((sum, bin) => sum + bin.count, 0);
  const option: Option = {
    grid: { left: 52, right: 16, top: 36, bottom: 44 },
    legend: legend('right answers', 'pictures'),
    xAxis: shareAxis('confidence'),
    yAxis: shareAxis(''),
    series: [
      {
        name: 'pictures',
        type: 'bar',
        barWidth: 12,
        itemStyle: { color: SECOND, opacity: 0.55 },
        data: filled.map((bin) => [(bin.low + bin.high) / 2, bin.count / total]),
      },
      {
        name: 'perfect',
        type: 'line',
        symbol: 'none',
        lineStyle: { color: MUTED, type: 'dashed', width: 1 },
        data: [
          [0, 0],
          [1, 1],
        ],
      },
      {
        name: 'right answers',
        type: 'line',
        symbol: 'circle',
        symbolSize: 7,
        itemStyle: { color: FIRST },
        lineStyle: { color: FIRST, width: 2 },
        data: filled.map((bin) => [bin.confidence, bin.accuracy]),
      },
    ],
  };
  return drawBoth(option, () => 320, 'Reliability: confidence against the share of right answers');
}

interface ClassBar extends ClassMetrics {
  readonly label: string;
}

/** Precision and recall of each class with 95 % intervals. */
export function classChart(classes: readonly ClassBar[]): string {
  const shown = classes.slice(0, MAX_BARS);
  const bars = (name: string, color: string, value: (c: ClassBar) => number): object => ({
    name,
    type: 'bar',
    itemStyle: { color },
    barMaxWidth: 11,
    barGap: '15%',
    data: shown.map(value),
  });
  const option: Option = {
    grid: { left: 8, right: 20, top: 36, bottom: 24, ...WITH_LABELS },
    legend: legend('recall', 'precision'),
    xAxis: shareAxis(''),
    yAxis: {
      type: 'category',
      inverse: true,
      data: shown.map(({ label }) => label),
      axisLabel: { color: INK, width: 110, overflow: 'truncate', interval: 0 },
      axisLine: { lineStyle: { color: LINE } },
      axisTick: { show: false },
    },
    series: [
      bars('recall', FIRST, (c) => c.recall),
      bars('precision', SECOND, (c) => c.precision),
      whiskers(shown, 'recallInterval', -1),
      whiskers(shown, 'precisionInterval', 1),
    ],
  };
  return drawBoth(option, (form) => 70 + shown.length * ROW_PX[form], 'Recall and precision of each class');
}

/** A grid without the labels of its axes, which it leaves room for. */
const WITH_LABELS = { outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' } as const;

/** 95 % intervals as thin lines over bars. @param side −1 for the upper bar of each pair, 1 for the lower. */
function whiskers(
  classes: readonly ClassMetrics[],
  interval: 'recallInterval' | 'precisionInterval',
  side: -1 | 1,
): object {
  return {
    type: 'custom',
    silent: true,
    z: 10,
    data: classes.map((each, i) => [...each[interval], i]),
    encode: { x: [0, 1], y: 2 },
    renderItem: (_: unknown, api: { value(i: number): number; coord(at: number[]): number[] }) => {
      const [x1, y] = api.coord([api.value(0), api.value(2)]);
      const [x2] = api.coord([api.value(1), api.value(2)]);
      const at = y + side * WHISKER_OFFSET_PX;
      return {
        type: 'line',
        shape: { x1, y1: at, x2, y2: at },
        style: { stroke: INK, lineWidth: 1.5, opacity: 0.7 },
      };
    },
  };
}

/** Half the distance of two bars of a pair. */
const WHISKER_OFFSET_PX = 6.3;

const BASE: Option = {
  animation: false,
  backgroundColor: 'transparent',
  textStyle: { fontFamily: 'system-ui, sans-serif', color: INK },
};

function legend(...data: readonly string[]): object {
  return { top: 0, itemGap: 24, textStyle: { color: INK }, data };
}

/** From 0 to 100 %. */
function shareAxis(name: string): object {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 28,
    nameTextStyle: { color: MUTED },
    axisLine: { show: true, lineStyle: { color: LINE } },
    splitLine: { lineStyle: { color: LINE } },
    min: 0,
    max: 1,
    interval: 0.25,
    axisLabel: { color: MUTED, formatter: (value: number) => `${Math.round(value * 100)} %` },
  };
}

function drawBoth(option: Option, height: (form: 'narrow' | 'wide') => number, title: string): string {
  return (['narrow', 'wide'] as const)
    .map(
      (form) =>
        `<div class="chart ${form}" role="img" aria-label="${title}">${draw(option, WIDTHS[form], height(form))}</div>`,
    )
    .join('');
}

function draw(option: Option, width: number, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ ...BASE, ...option });
    let svg = chart.renderToSVGString();
    for (const [standIn, variable] of Object.entries(COLOURS)) svg = svg.replaceAll(standIn, variable);
    // The page scales the drawing and needs none of ECharts' hover styles.
    return withoutStyles(svg.replace(/<svg width="\d+" height="\d+"/, '<svg'));
  } finally {
    chart.dispose();
  }
}

/** By positions: a pattern for the same takes quadratic time. */
function withoutStyles(svg: string): string {
  const [head, ...rest] = svg.split('<style');
  return head + rest.map((part) => part.slice(part.indexOf(STYLE_END) + STYLE_END.length)).join('');
}

const STYLE_END = '</style>';
