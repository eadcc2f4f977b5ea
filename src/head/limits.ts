/** The caps of a head. Every one is checked before memory is taken for what it bounds. */
import type { SafetensorsLimits } from '../safetensors.ts';

const MIB = 1024 * 1024;

/** Softmax over more classes needs another kind of index; the file would also outgrow an isolate. */
export const MAX_CLASSES = 4096;
/** A code of the widest backbone that is foreseen, several times over. */
export const MAX_CODE_LENGTH = 16_384;
/** UTF-16 code units. */
export const MAX_LABEL_LENGTH = 128;
/** Principal directions that a head may hold: as many as old ones do. 64 × 3,680 in half precision are 471 kB. */
export const MAX_DIRECTIONS = 64;
/** Names of taps, the backbone and the like. */
export const MAX_NAME_LENGTH = 128;
export const MAX_TAPS = 64;
export const MAX_GOLDEN = 8;
/** The embedded backbone has 104 in all. */
export const MAX_TAIL_TENSORS = 1024;

export const HEAD_FILE_LIMITS: SafetensorsLimits = {
  fileBytes: 48 * MIB,
  headerBytes: 4 * MIB,
  tensors: 32 + MAX_TAIL_TENSORS,
};

/**
 * A label as it is written: Unicode NFC, without blanks around it. File systems and keyboards disagree about how to write é,
 * and what looks the same is one class.
 */
export function normaliseLabel(label: string): string {
  return label.normalize('NFC').trim();
}

/** The first thing wrong with a list of labels, as half a sentence, or undefined. */
export function labelFault(labels: readonly string[]): string | undefined {
  const known = new Set<string>();
  for (const [i, label] of labels.entries()) {
    if (label === '') return `label ${i} is empty`;
    if (label.length > MAX_LABEL_LENGTH) return `label ${i} has more than ${MAX_LABEL_LENGTH} characters`;
    if (/\p{Cc}|\p{Zl}|\p{Zp}/u.test(label)) return `label ${i} holds a control character`;
    if (!label.isWellFormed()) return `label ${i} is no well-formed Unicode`;
    if (known.has(label)) return `the label ${JSON.stringify(label)} occurs twice`;
    known.add(label);
  }
  return undefined;
}
