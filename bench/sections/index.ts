/** All parts of the benchmark, in the order in which they run. */
import type { Section } from '../section.ts';
import { accuracy } from './accuracy.ts';
import { backboneNode } from './backbone-node.ts';
import { backboneInWorkerd } from './backbone-workerd.ts';
import { decode } from './decode.ts';
import { edge } from './edge.ts';
import { eightBitsInWorkerd } from './eight-bits-workerd.ts';
import { eightBits } from './eight-bits.ts';
import { freshWorker } from './fresh-worker.ts';
import { frontier } from './frontier.ts';
import { isolates } from './isolates.ts';
import { pipelineInNode } from './pipeline-node.ts';
import { pipeline } from './pipeline.ts';
import { requests } from './requests.ts';
import { roofline } from './roofline.ts';
import { stages } from './stages.ts';
import { startUp } from './start-up.ts';

export const sections: readonly Section[] = [
  backboneNode,
  backboneInWorkerd,
  eightBits,
  eightBitsInWorkerd,
  decode,
  stages,
  pipelineInNode,
  pipeline,
  requests,
  edge,
  startUp,
  freshWorker,
  isolates,
  accuracy,
  frontier,
  roofline,
];
