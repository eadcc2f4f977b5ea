/** A Worker that is killed at a chosen step of a request, and clients that repeat what was not answered. */
import { Mortal } from '../node/local/teaching.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type Send = (worker: Mortal) => Promise<Response>;

export class Doomed {
  readonly worker: Mortal;
  /** The steps at which it was killed so far. */
  readonly kills: string[] = [];
  /** Steps until it is killed; none where it is not to be. */
  #left = 0;

  /** @param state folder of the stores. @param bundle folder of the Worker's bundle. */
  constructor(state: string, bundle: string) {
    this.worker = new Mortal(
      state,
      (step) => {
        if (this.#left === 0 || --this.#left > 0) return;
        this.kills.push(step);
        this.worker.kill();
      },
      bundle,
    );
  }

  /**
   * Sends requests at once, and again after a kill those that it left without an answer.
   * @param fatal the step of all of them together at which workerd is killed, from 1 on; 0 spares it.
   * @returns an answer for each.
   */
  async send(sends: readonly Send[], fatal = 0): Promise<Answer[]> {
    const answers: (Answer | undefined)[] = sends.map(() => undefined);
    const before = this.kills.length;
    this.#left = fatal;
    for (;;) {
      const results = await Promise.allSettled(
        sends.map(async (send, i) => (answers[i] ??= await answered(send(this.worker)))),
      );
      this.#left = 0;
      const failed = results.find((result) => result.status === 'rejected');
      if (this.kills.length > before && fatal > 0) await this.worker.restart();
      else if (failed !== undefined) throw failed.reason;
      fatal = 0;
      const done = answers.flatMap((answer) => answer ?? []);
      if (done.length === sends.length) return done;
    }
  }
}

async function answered(response: Promise<Response>): Promise<Answer> {
  const { status, text } = await response.then(async (each) => ({
    status: each.status,
    text: await each.text(),
  }));
  return { status, body: JSON.parse(text) };
}
