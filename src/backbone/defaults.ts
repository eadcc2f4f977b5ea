/** The default input of new heads. docs/performance.md has the reason. */
import type { PictureInput } from '../head/head.ts';

/** The name of a plan. */
export const DEFAULT_BACKBONE = 'efficientnet-lite0';
/** How pictures reach it. */
export const DEFAULT_INPUT: PictureInput = { height: 160, width: 160, rules: 2 };
