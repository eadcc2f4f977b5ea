/** The first convolution in 16 bits; `stem` says how. */
import { Conv16 } from './conv16.as';
import { Stem, stemAs } from './stem.as';

export function stem16(s: Stem): void { stemAs<Conv16, i16>(s); }
