/** What examples are codes of, as rows have it. */
import { z } from 'zod';
import { STATISTICS } from '../../src/backbone/plan.ts';
import { sameSpace } from '../../src/head/index.ts';
import { PictureInputFields } from '../../src/head/metadata.ts';

/** A code space, as rows have it. */
export const CodeSpaceFields = z.object({
  weightsSha256: z.string(),
  taps: z.array(z.string()),
  /** Means where absent, as in all rows of before there were others. */
  statistics: z.array(z.enum(STATISTICS)).exactOptional(),
  codeLength: z.int(),
  /** The backbone's own size by rules 1 where absent, as in all rows of before there were others. */
  input: PictureInputFields.exactOptional(),
});

/** What codes of a head are made of. All examples of a head agree in it. */
export const CodeOrigin = CodeSpaceFields.extend({
  name: z.string(),
  version: z.string(),
  /** The uploaded head, tail and all, whose codes these are and which is taught further; none: the backbone's own codes. */
  base: z.object({ version: z.int(), sha256: z.string() }).optional(),
});
export type CodeOrigin = z.infer<typeof CodeOrigin>;

/** Whether codes of two origins can be trained on together. */
export function sameOrigin(a: CodeOrigin, b: CodeOrigin): boolean {
  return a.base?.sha256 === b.base?.sha256 && sameSpace(a, b);
}
