/** The frontier of accuracy against cost at the edge, for people and for programs. */
import { accuracyText, lossText } from '../../evaluation/metrics-text.ts';
import { table } from '../../cli/terminal.ts';
import { EDGE_MACHINE } from '../cost/edge.ts';
import { spaceName, type Frontier, type Screened, type Space } from './screening.ts';

export function frontierTable(frontier: Frontier): string {
  const { spaces, chosen, because, beyond, pictures, budgetMs } = frontier;
  const rows = spaces.map((each) => [
    each === chosen ? `${spaceName(each)} *` : spaceName(each),
    each.ms.toFixed(1),
    accuracyText(each.metrics),
    lossText(each.metrics),
    comparison(each),
  ]);
  const head = ['backbone and size', 'ms', 'accuracy', 'log-loss', 'log-loss above the best'];
  const left = beyond.map((each) => `${spaceName(each)} (${each.ms.toFixed(1)} ms)`).join(', ');
  return [
    table(head, rows),
    `Leave-one-out of linear heads on ${pictures} pictures; ms a picture estimated for ${EDGE_MACHINE}, without decoding.`,
    ...(left === '' ? [] : [`Beyond the budget of ${budgetMs.toFixed(1)} ms: ${left}.`]),
    `* ${because}`,
  ].join('\n');
}

function identity({ reading: { backbone, input }, ms }: Space): Record<string, unknown> {
  return { backbone: backbone.plan.name, input, estimated_ms: ms };
}

export function comparison({ difference: { mean, error }, level }: Screened): string {
  if (error === 0 && mean === 0) return 'the best';
  return `${mean.toFixed(3)} ± ${error.toFixed(3)}, ${level ? 'level' : 'worse'}`;
}

export function frontierJson(frontier: Frontier): Record<string, unknown> {
  const { spaces, chosen, because, beyond, pictures, budgetMs } = frontier;
  return {
    cpu_budget_ms: budgetMs,
    pictures,
    machine: EDGE_MACHINE,
    spaces: spaces.map((each) => ({
      ...identity(each),
      accuracy: each.metrics.accuracy,
      accuracy_interval: each.metrics.accuracyInterval,
      log_loss: each.metrics.logLoss,
      log_loss_interval: each.metrics.logLossInterval,
      log_loss_above_best: each.difference.mean,
      standard_error: each.difference.error,
      level_with_best: each.level,
      chosen: each === chosen,
    })),
    beyond_budget: beyond.map(identity),
    because,
  };
}
