/**
 * Tells a test where a request is, so that it can end the process right there. The binding exists in no deployment: only
 * a program that starts workerd itself can give it.
 */
export type Step =
  | 'picture read'
  | 'codes made'
  | 'codes stored'
  | 'examples stored'
  | 'object written'
  | 'before the pointer'
  | 'before the answer';

export interface StepListener {
  readonly STEPS?: Pick<Fetcher, 'fetch'>;
}

export async function step({ STEPS }: StepListener, name: Step): Promise<void> {
  if (STEPS !== undefined) await STEPS.fetch(`http://steps/${encodeURIComponent(name)}`);
}
