/** Placeholder until metrics land. */
export interface Figures {
  readonly accuracy: number;
}
