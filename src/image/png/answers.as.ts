/** What parts of the inflater, and the inflater itself, say; the host knows these numbers, too. */
export const FULL: i32 = 0;
export const WANTS_INPUT: i32 = 1;
export const BUSY: i32 = 2;
export const DONE: i32 = 3;
export const DAMAGED: i32 = 4;
export const ENDS_EARLY: i32 = 5;
export const WRONG_SUM: i32 = 6;
