/** Heat-maps: where in a picture a label's score comes from, as numbers or as a picture. */
import {
  EXPLAIN_TOP,
  type Classification,
  type Explanation as WireExplanation,
} from '../../src/api/index.ts';
import { WHOLE, type Tap } from '../../src/backbone/index.ts';
import { explain, type Explanation, type TapMap } from '../../src/head/explain.ts';
import { readableTaps, score, TAIL_TAP } from '../../src/head/index.ts';
import { drawHeatMap } from '../../src/image/pixels/heat-map.ts';
import { encodePng } from '../../src/image/png/encode.ts';
import { codeFor } from './features.ts';
import { answerOf, topIndices } from './predict.ts';
import { OVERLAY_LONG_SIDE_PIXELS } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { Runtime } from '../isolate/backbones.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import type { TailStore } from '../stores/tails.ts';

/** Digits on the wire: 1,296 shares rounded to so many still sum to the logit within a millionth of the largest. */
const SIGNIFICANT_DIGITS = 8;

export interface Explained {
  readonly classification: Classification & { explanation: WireExplanation };
  /** The grid as computed, to be drawn. */
  readonly grid: Explanation['grid'];
}

/**
 * Classifies one picture and says where its score for a label comes from.
 * @param wish a label, or EXPLAIN_TOP for the most probable one.
 * @throws ApiError invalid_request where the head has no such label; HeadwaterError image_…
 */
export async function classifyAndExplain(
  tails: TailStore,
  loaded: LoadedHead,
  picture: Uint8Array,
  work: RequestWork,
  wish: string,
  topK: number,
): Promise<Explained> {
  const { head, runtime } = loaded;
  const { plan, input, decoder } = runtime;
  if (wish !== EXPLAIN_TOP && !head.labels.includes(wish)) throw unknownLabel(loaded, wish);
  const { pixels, width, height, format } = await decoder.decode(picture, input, await work.nextPicture());
  const taps = readableTaps(plan, head.tail).filter(({ name }) => head.taps.includes(name));
  // The frozen network's maps say nothing exact about what the tail computes anew.
  const mapped = taps.filter(({ name }) => !name.startsWith(TAIL_TAP));
  const steps = new Set([
    ...mapped.map(({ step }) => step),
    ...(head.tail === undefined ? [] : [head.tail.from]),
  ]);
  steps.delete(WHOLE);
  await work.nextRun(runtime);
  const { codes, maps } = runtime.engine.codesAndMaps(pixels, [...steps]);
  const code = codeFor(tails, loaded, { code: codes, pixels, maps });
  const scores = score(head, code);
  const { logits, probabilities } = scores;
  const answer = answerOf({ loaded, scores, order: topIndices(probabilities), id: undefined }, topK);
  const named = head.labels.indexOf(wish);
  const label = named >= 0 ? named : logits.indexOf(Math.max(...logits));
  const { logit, bias, grid, spreadTaps } = explain(head, taps, label, code, tapMaps(runtime, mapped, maps));
  const explanation = {
    label: head.labels[label],
    logit: rounded(logit),
    bias: rounded(bias),
    grid: { height: grid.height, width: grid.width, shares: rowsOf(grid) },
    exact: spreadTaps.length === 0,
    spread_taps: [...spreadTaps],
  };
  return { classification: { ...answer, image: { width, height, format }, explanation }, grid };
}

/** The picture in its own proportions, under the heat-map. */
export async function heatMapPng(
  { decoder }: Runtime,
  picture: Uint8Array,
  work: RequestWork,
  { classification, grid }: Explained,
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = classification.image;
  const scale = OVERLAY_LONG_SIDE_PIXELS / Math.max(width, height);
  const size = {
    width: Math.max(Math.round(width * scale), 1),
    height: Math.max(Math.round(height * scale), 1),
  };
  const { pixels } = await decoder.decode(picture, size, await work.nextPicture());
  return encodePng(drawHeatMap(pixels, size, grid), size);
}

function tapMaps(
  { backbone: { shapes } }: Runtime,
  taps: readonly Tap[],
  maps: ReadonlyMap<string, Float32Array>,
): Map<string, TapMap> {
  return new Map(taps.map(({ name, step }) => [name, { ...shapes.get(step)!, values: maps.get(step)! }]));
}

function rowsOf({ height, width, shares }: Explanation['grid']): number[][] {
  return Array.from({ length: height }, (_, row) =>
    Array.from(shares.subarray(row * width, (row + 1) * width), rounded),
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

function unknownLabel({ file }: LoadedHead, wish: string): ApiError {
  return new ApiError(
    'invalid_request',
    `Head '${file.head}' has no class '${wish.slice(0, 80)}' to explain. Name one of its own, or '${EXPLAIN_TOP}' for the most probable one.`,
    { field: 'explain' },
  );
}
