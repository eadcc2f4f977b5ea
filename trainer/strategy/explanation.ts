/** Why a strategy was chosen, for people and for programs. */
import { heldOutText } from '../../src/head/index.ts';
import { byteSize } from '../files.ts';
import { accuracyText, lossText } from '../evaluation/metrics-text.ts';
import { table } from '../cli/terminal.ts';
import type { Explanation } from './auto.ts';
import type { Candidate } from './candidates.ts';
import { MUCH } from './situation.ts';

/** Every strategy that was tried with its held-out metrics and what it costs at the edge, and why one was taken. */
export function triedTable({ tried, choice, passedOver }: Explanation): string {
  const rows = tried.map((each) => [
    each === choice.chosen ? `${each.strategy} *` : each.strategy,
    each.taps.length === 1
      ? each.taps[0]
      : `${each.taps.length} taps${each.from === undefined ? '' : `, tail from ${each.from}`}`,
    heldOutText(each.folds),
    lossText(each.metrics),
    accuracyText(each.metrics),
    `+${each.cost.ms.toFixed(1)} ms`,
    byteSize(each.cost.bytes),
  ]);
  const head = ['strategy', 'reads', 'held out by', 'log-loss', 'accuracy', 'at the edge', 'head'];
  const others = passedOver.map(({ strategy, because }) => `${strategy} was not tried: ${because}.`);
  return [table(head, rows), ...others, `* ${choice.because}`].join('\n');
}

export function explanationJson(explanation: Explanation): Record<string, unknown> {
  const { situation, taps, tried, passedOver, choice } = explanation;
  const { similarity } = situation;
  return {
    quadrant: { size: situation.size, similarity: situation.likeness },
    size: { examples: situation.examples, per_class: situation.perClass, much_from: MUCH.perClass },
    similarity: {
      distance: similarity?.distance ?? null,
      different_from: situation.differentFrom,
      layers: similarity?.layers ?? [],
    },
    accuracy_by_tap: taps.map(({ tap, accuracy, logLoss }) => ({ tap, accuracy, log_loss: logLoss })),
    tried: tried.map(candidateJson),
    not_tried: passedOver,
    chosen: choice.chosen.strategy,
    because: choice.because,
  };
}

function candidateJson({ strategy, taps, from, folds, metrics, cost }: Candidate): Record<string, unknown> {
  return {
    strategy,
    taps,
    tail_from: from ?? null,
    held_out_by: heldOutText(folds),
    log_loss: metrics.logLoss,
    log_loss_interval: metrics.logLossInterval,
    accuracy: metrics.accuracy,
    accuracy_interval: metrics.accuracyInterval,
    edge: { extra_ms: cost.ms, head_bytes: cost.bytes },
  };
}
