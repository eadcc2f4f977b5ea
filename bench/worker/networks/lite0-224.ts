import { lite0 } from './lite0.ts';

export const network = lite0(224);
