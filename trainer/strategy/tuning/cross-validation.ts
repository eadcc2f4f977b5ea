/**
 * The strategies that change the network. A tail is fine-tuned, and the closed-form head then reads all taps, those of
 * the frozen network, which the edge has computed anyway, and those of the tail. Whatever the network was tuned on it knows by heart, so that λ, temperature, novelty and all
 * figures come from cross-validation: networks tuned on the other folds.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tail } from '../../../src/backbone/index.ts';
import { readableTaps } from '../../../src/head/index.ts';
import type { HeadView } from '../../../src/head/index.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import type { FineTuneOptions } from '../../../src/learn/fine-tune/options.ts';
import { FINE_TUNE_DEFAULTS } from '../../../src/learn/fine-tune/options.ts';
import type { LinearStart } from '../../../src/learn/fine-tune/softmax-head.ts';
import { allRows, selectRows } from '../../../src/learn/code-rows.ts';
import type { CodeRows } from '../../../src/learn/code-rows.ts';
import { evaluate, summarise } from '../../../src/learn/statistics/metrics.ts';
import type { Fold, HeldOut } from '../../../src/learn/ridge/ridge-path.ts';
import { RidgePath, selectHeldOut } from '../../../src/learn/ridge/ridge-path.ts';
import type { TrainedHead } from '../../../src/learn/ridge/train.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { CodesReader } from '../../codes/reader.ts';
import { keepRuns } from '../../cli/interrupt.ts';
import { cacheFolder } from '../../paths.ts';
import { loadDecoder } from '../../runtime.ts';
import { LEARNING } from '../../learning.ts';
import type { Context } from '../training-data.ts';
import { trainingSet } from '../training-data.ts';
import { drawFolds } from '../../../src/learn/folds.ts';
import type { StoredPictures } from './pixel-store.ts';
import { storedSize, storePictures } from './pixel-store.ts';
import type { TunedStrategy } from '../strategies.ts';
import { cutFor } from '../strategies.ts';
import { tapRows } from '../linear/tap-rows.ts';
import type { TuneJob } from './tune-thread.ts';
import { tune } from './threads.ts';

/** Folds of cross-validation; fewer where a class has fewer examples. */
export const FOLDS = 4;

export interface CrossValidation {
  readonly strategy: TunedStrategy;
  /** The step whose output the tail reads. */
  readonly from: string;
  readonly folds: number;
  readonly heldOut: HeldOut;
  /** [n × C] for each picture by a network that never saw it, in the order of the pictures. */
  readonly probabilities: Float32Array;
}

export class Tuner {
  readonly #context: Context;
  readonly #folder: string;
  readonly #options: FineTuneOptions;
  readonly #release = keepRuns();
  #pictures: StoredPictures | undefined;

  private constructor(context: Context, folder: string, options: FineTuneOptions) {
    this.#context = context;
    this.#folder = folder;
    this.#options = options;
  }

  /** @param options of the fine-tuning, but for the seed. @throws HeadwaterError `training_data_too_large` */
  static async open(context: Context, options: FineTuneOptions = FINE_TUNE_DEFAULTS): Promise<Tuner> {
    if (context.set.codes.codes === undefined) {
      throw new HeadwaterError(
        'training_data_too_large',
        'The codes of so many pictures do not fit memory, and tuning needs them all; use a linear strategy.',
      );
    }
    const folder = join(cacheFolder(), 'runs', runKey(context));
    if (!context.resume) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return new Tuner(context, folder, { ...options, seed: context.seed });
  }

  /** Tunes a network for each fold and judges the fold with it. @throws HeadwaterError, InterruptedError */
  async crossValidate(strategy: TunedStrategy, folds = FOLDS): Promise<CrossValidation> {
    const { targets } = this.#context;
    const count = Math.min(folds, smallestClass(targets));
    if (count < 2) {
      throw new HeadwaterError(
        'training_data_invalid',
        'Fine-tuning needs at least two pictures of every class; add some, or use a linear strategy.',
      );
    }
    const { members, others } = splitUp(this.#context, count);
    const { from, tails } = await this.#tune(strategy, others, `${strategy}, ${count} folds`);
    const heldOut = await selectHeldOut(await this.#folds(tails, { members, others }), LEARNING);
    return { strategy, from, folds: count, heldOut, probabilities: inOrder(heldOut.probabilities, members) };
  }

  /** Tunes a network on everything; the head's figures and settings are those of the cross-validation. */
  async finish({ strategy, heldOut, probabilities, folds }: CrossValidation): Promise<TrainedHead> {
    const { set, targets } = this.#context;
    const { from, tails } = await this.#tune(strategy, [[...targets.keys()]], strategy);
    const { taps } = viewOf(this.#context, tails[0]);
    const rows = await this.#codes(tails[0]);
    const path = await RidgePath.fit(trainingSet(this.#context, rows, taps, [...targets.keys()]), LEARNING);
    const head = await path.head(heldOut.decade, heldOut.temperature, heldOut.novelty);
    const figures = evaluate(probabilities, targets, set.labels.length);
    const method = `${strategy} from ${from}, ${head.training.method}, ${folds}-fold`;
    const training = { ...head.training, method, leaveOneOut: summarise(figures) };
    return {
      head: { ...head, training, tail: tails[0] },
      heldOutBy: `${folds}-fold`,
      leaveOneOut: probabilities,
      figures,
    };
  }

  /** Forgets saved runs: they are of use only until the head is written. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    this.#release();
  }

  async #tune(
    strategy: TunedStrategy,
    parts: readonly (readonly number[])[],
    label: string,
  ): Promise<{ from: string; tails: Tail[] }> {
    const { backbone, terminal } = this.#context;
    const from = cutFor(strategy, backbone.plan, backbone.shapes);
    const pictures = await this.#store();
    const jobs: TuneJob[] = [];
    for (const examples of parts) jobs.push(await this.#job(from, pictures, examples));
    const steps = jobs.reduce((sum, { examples, options }) => sum + stepsOf(examples.length, options), 0);
    return { from, tails: await tune(jobs, label, steps, terminal) };
  }

  async #job(from: string, pictures: StoredPictures, examples: readonly number[]): Promise<TuneJob> {
    const { backbone, input, targets, resume } = this.#context;
    const task = createHash('sha256')
      .update(JSON.stringify([from, this.#options, examples]))
      .digest('hex');
    return {
      weightsSha256: backbone.plan.weightsSha256,
      input,
      from,
      pictures,
      examples: Uint32Array.from(examples),
      targets: Uint16Array.from(examples, (i) => targets[i]),
      start: await this.#start(examples),
      options: this.#options,
      statePath: join(this.#folder, `${task}.safetensors`),
      task,
      resume,
    };
  }

  /** The head on the last tap that these examples give with the frozen network. */
  async #start(examples: readonly number[]): Promise<LinearStart> {
    const { backbone, set } = this.#context;
    const last = backbone.plan.taps.slice(-1).map((tap) => tap.name);
    const rows = tapRows(set.codes, backbone, last);
    const { mean, deviation, weights, bias, temperature } = await trainHead(
      trainingSet(this.#context, rows, last, examples),
      LEARNING,
    );
    return { mean, deviation, weights, bias, temperature };
  }

  async #folds(tails: readonly Tail[], { members, others }: Split): Promise<Fold[]> {
    const { targets } = this.#context;
    const folds: Fold[] = [];
    for (const [fold, tail] of tails.entries()) {
      const { taps } = viewOf(this.#context, tail);
      const rows = await this.#codes(tail);
      folds.push({
        set: trainingSet(this.#context, rows, taps, others[fold]),
        codes: allRows(selectRows(rows, members[fold])),
        targets: Uint16Array.from(members[fold], (i) => targets[i]),
      });
    }
    return folds;
  }

  /** Codes of all taps, the frozen ones and the tail's. */
  async #codes(tail: Tail): Promise<CodeRows> {
    const { set, terminal } = this.#context;
    const reader = await CodesReader.open(this.#context, terminal, viewOf(this.#context, tail));
    return (await reader.codes(set.pictures)).rows;
  }

  async #store(): Promise<StoredPictures> {
    if (this.#pictures !== undefined) return this.#pictures;
    const { input, set, terminal } = this.#context;
    const pictures = { path: join(this.#folder, 'pictures.rgb'), ...storedSize(input) };
    const progress = terminal.progress('Pictures', set.pictures.length);
    const paths = set.pictures.map((picture) => picture.path);
    await storePictures(paths, pictures, await loadDecoder(), () => progress.step());
    progress.stop();
    this.#pictures = pictures;
    return pictures;
  }
}

interface Split {
  /** The examples that each fold holds out, and those that it trains on. */
  readonly members: readonly (readonly number[])[];
  readonly others: readonly (readonly number[])[];
}

function splitUp({ targets, seed }: Context, count: number): Split {
  const foldOf = drawFolds(targets, count, seed);
  const all = [...targets.keys()];
  const folds = Array.from({ length: count }, (_, fold) => fold);
  return {
    members: folds.map((fold) => all.filter((i) => foldOf[i] === fold)),
    others: folds.map((fold) => all.filter((i) => foldOf[i] !== fold)),
  };
}

/**
 * Judges the frozen network's codes by the folds that tuned networks are judged by: leave-one-out trains on more, and
 * would flatter it. @returns [n × C] probabilities in the order of the pictures.
 */
export async function crossValidateFrozen(
  context: Context,
  taps: readonly string[],
  folds: number,
): Promise<Float32Array> {
  const { backbone, set, targets } = context;
  const { members, others } = splitUp(context, folds);
  const rows = tapRows(set.codes, backbone, taps);
  const parts = members.map((held, fold) => ({
    set: trainingSet(context, rows, taps, others[fold]),
    codes: allRows(selectRows(rows, held)),
    targets: Uint16Array.from(held, (i) => targets[i]),
  }));
  return inOrder((await selectHeldOut(parts, LEARNING)).probabilities, members);
}

/** Steps of a run on so many examples. */
export function stepsOf(examples: number, { epochs, batch }: FineTuneOptions): number {
  return Math.max(1, Math.floor(examples / batch)) * epochs;
}

export function smallestClass(targets: Uint16Array): number {
  const counts = new Map<number, number>();
  for (const target of targets) counts.set(target, (counts.get(target) ?? 0) + 1);
  return Math.min(...counts.values());
}

/** A head that reads everything there is with this tail. */
export function viewOf({ backbone }: Context, tail: Tail): HeadView {
  const taps = readableTaps(backbone.plan, tail);
  return {
    taps: taps.map((tap) => tap.name),
    tail,
    codeLength: taps.reduce((sum, tap) => sum + tap.channels, 0),
  };
}

/** Everything that a run depends on but its own options, and the file that it is for. */
function runKey({ backbone, input, set, targets, seed, out }: Context): string {
  const hash = createHash('sha256')
    .update(backbone.plan.weightsSha256)
    .update(JSON.stringify([input, seed, out]));
  for (const [i, { sha256 }] of set.pictures.entries()) hash.update(sha256).update(set.labels[targets[i]]);
  return hash.digest('hex').slice(0, 32);
}

/** From the order of the folds to that of the pictures. */
function inOrder(probabilities: Float32Array, members: readonly (readonly number[])[]): Float32Array {
  const order = members.flat();
  const classes = probabilities.length / order.length;
  const out = new Float32Array(probabilities.length);
  order.forEach((i, place) => {
    out.set(probabilities.subarray(place * classes, (place + 1) * classes), i * classes);
  });
  return out;
}
