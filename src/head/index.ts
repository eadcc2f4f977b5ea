/** Heads: read, write, check against a backbone, and score CNN codes. */
export { sameSpace, shortest, spaceInWords, spaceOf, spaceOfPlan, type CodeSpace } from './code-space.ts';
export { assertCompatible } from './compatibility.ts';
export { memoryOf, readHead, writeHead } from './file.ts';
export type { HeadView } from './read-code.ts';
export type {
  BackboneIdentity,
  Distribution,
  GoldenVector,
  Head,
  Novelty,
  PictureInput,
  Training,
} from './head.ts';
export type { PixelRules } from '../image/input.ts';
export { HEAD_FILE_LIMITS, labelFault, MAX_CLASSES, MAX_LABEL_LENGTH } from './limits.ts';
export { heldOutFolds, heldOutText, methodText, parseMethod, type TrainingMethod } from './method.ts';
export { sameInput } from './picture-input.ts';
export { readableTaps, readCode, TAIL_TAP } from './read-code.ts';
export { score, type Score, type ScoredHead } from './score.ts';
