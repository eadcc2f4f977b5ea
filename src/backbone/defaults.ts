/** What every new head reads unless it is told otherwise. docs/performance.md has the reason. */
import type { PictureInput } from '../head/head.ts';

/** The name of a plan. */
export const DEFAULT_BACKBONE = 'mobilenet-v3-small';
/** How pictures reach it. */
export const DEFAULT_INPUT: PictureInput = { height: 224, width: 224, rules: 1 };
