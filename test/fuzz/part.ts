/** A part of the service under fuzzing: cases by number, each repeatable alone. */
export interface FuzzPart {
  readonly name: string;
  /** @returns what does not hold of the case, undefined where all does. */
  run(number: number): Promise<Fault | undefined>;
  close(): Promise<void>;
}

export interface Fault {
  readonly what: string;
  /** What was read or sent. */
  readonly body: Uint8Array;
}
