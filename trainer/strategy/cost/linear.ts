/** What a run of `auto` takes but for fine-tuning: the codes and the linear heads. Upper bounds, by the machine's pace. */
import type { Backbone } from '../../../src/backbone/index.ts';
import { threadsFor } from '../../codes/pool.ts';
import { isClosedForm, operationsOf } from '../../learning.ts';
import { codeMs } from './edge.ts';
import { MARGIN, type Pace } from './pace.ts';
import { SIMILARITY_SAMPLE } from '../situation.ts';

/** Of a million operations of training, on the machine of the estimates, ms. Measured 0.25 to 0.4. */
const OPERATIONS_MS = 0.4;
/** Until the program reads pictures, once more for each set of threads, and until the report is written, s. */
const START_SECONDS = 3;
/**
 * What TensorFlow.js takes for a picture whose batch norms are measured: milliseconds, and so many times what our kernels
 * take in single precision. Measured 25 ms for MobileNetV3-Small at 224 px, 50 and 85 for EfficientNet-Lite0 at 160 and 224.
 */
const SIMILARITY = { ms: 16, times: 5 };

export interface LinearWork {
  /** The spaces that are tried, each in the size of its pictures. */
  readonly backbones: readonly Backbone[];
  /** Pictures that each space is tried on, all that the head is trained on, and those that it is tested on. */
  readonly screened: number;
  readonly examples: number;
  readonly tested: number;
  readonly classes: number;
}

/**
 * Seconds from the first picture to the head, whichever space is chosen and with no code kept from earlier.
 * @returns undefined where heads are found step by step, which nobody can tell the end of.
 */
export function linearSeconds(work: LinearWork, pace: Pace): number | undefined {
  const { backbones, screened, examples, tested, classes } = work;
  if (!backbones.every((backbone) => isClosedForm(examples, backbone.codeLength))) return undefined;
  const choice = backbones.length > 1;
  const screening = backbones.map(
    (backbone) => readingMs(screened, backbone, pace) + headMs(screened, backbone.codeLength, classes, pace),
  );
  // Screened pictures have been read by then, where there was a choice.
  const unread = choice ? examples - screened : examples;
  const rest = backbones.map(
    (backbone) =>
      readingMs(unread, backbone, pace) +
      readingMs(tested, backbone, pace) +
      similarityMs(examples, backbone, pace) +
      headsMs(examples, backbone, classes, pace),
  );
  const measured = (choice ? sum(screening) : 0) + Math.max(...rest);
  const starts = (choice ? backbones.length : 0) + 2;
  return START_SECONDS * starts + (MARGIN * measured) / 1000;
}

/** Of so many pictures' codes, on all threads. */
export function readingMs(pictures: number, backbone: Backbone, { decodeMs, slowness }: Pace): number {
  return (pictures * (decodeMs + slowness * codeMs(backbone))) / threadsFor(pictures);
}

function similarityMs(examples: number, backbone: Backbone, { decodeMs, slowness }: Pace): number {
  const networkMs = slowness * (SIMILARITY.ms + SIMILARITY.times * codeMs(backbone, 32));
  return Math.min(examples, SIMILARITY_SAMPLE) * (decodeMs + networkMs);
}

/** A head on each tap and one on all of them. */
function headsMs(examples: number, { plan, codeLength }: Backbone, classes: number, pace: Pace): number {
  const lengths = [codeLength, ...plan.taps.map((tap) => tap.channels)];
  return sum(lengths.map((length) => headMs(examples, length, classes, pace)));
}

/** Of one head. */
export function headMs(examples: number, codeLength: number, classes: number, { slowness }: Pace): number {
  return (slowness * OPERATIONS_MS * operationsOf(examples, codeLength, classes)) / 1e6;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
