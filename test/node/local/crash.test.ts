/** workerd killed at each step of a teach request: what was answered is whole, what was not can be repeated. */
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../trainer/workspace.ts';
import { batchOf, Mortal, TaughtAnswer } from './teaching.ts';

let mortal: Mortal | undefined;
afterEach(() => mortal?.stop());

describe('workerd, killed', () => {
  it.each(['codes made', 'examples stored', 'object written', 'before the pointer', 'before the answer'])(
    '%s',
    async (fatal) => {
      let armed = false;
      const worker = new Mortal(temporaryFolder(), (step) => {
        if (armed && step === fatal) worker.kill();
      });
      mortal = worker;
      await worker.start();
      const key = await worker.newTenant();
      const backbone = await worker.backbone();
      const teach = (label: string, name: string) =>
        worker.teach(key, 'pets', batchOf(backbone, label, 5, 1), name);
      expect((await teach('ant', 'one')).status).toBe(200);
      const second = TaughtAnswer.parse(await (await teach('bee', 'two')).json());
      expect(second.version).toBe(1);

      armed = true;
      await expect(teach('cow', 'three').then((response) => response.text())).rejects.toThrow();
      armed = false;
      await worker.restart();

      // What was answered before is whole, and what was not shows no half state.
      const counts = await worker.counts(key, 'pets');
      expect(counts).toMatchObject({ ant: 5, bee: 5 });
      expect([undefined, 5]).toContain(counts['cow']);
      expect((await worker.call(key, '/v1/heads/pets/versions/1')).status).toBe(200);
      const described = await worker.call(key, '/v1/heads/pets');
      expect(described.status).toBe(200);

      const repeat = await teach('cow', 'three');
      const answer = TaughtAnswer.parse(await repeat.json());
      expect(repeat.status).toBe(200);
      expect(answer).toMatchObject({ added: 5, examples: 15 });
      expect(answer.classes.map(({ label }) => label)).toEqual(['ant', 'bee', 'cow']);
      expect(await worker.counts(key, 'pets')).toEqual({ ant: 5, bee: 5, cow: 5 });
      expect((await worker.call(key, `/v1/heads/pets/versions/${answer.version}`)).status).toBe(200);
    },
  );

  it('while forgetting: the alarm finishes what nobody repeats', async () => {
    let armed = false;
    const worker = new Mortal(temporaryFolder(), (step) => {
      if (armed && step === 'object written') worker.kill();
    });
    mortal = worker;
    await worker.start();
    const key = await worker.newTenant();
    const backbone = await worker.backbone();
    const teach = (label: string, name: string) =>
      worker.teach(key, 'pets', batchOf(backbone, label, 5, 1), name);
    // Each adds examples, so that no version before is the one to be.
    for (const [i, label] of ['ant', 'cow', 'bee'].entries())
      expect((await teach(label, `${i}`)).status).toBe(200);
    armed = true;
    const gone = worker.call(key, '/v1/heads/pets/classes/cow', { method: 'DELETE' });
    await expect(gone.then((response) => response.text())).rejects.toThrow();
    armed = false;
    await worker.restart();
    await expect
      .poll(() => worker.call(key, '/v1/heads/pets/versions/2').then(({ status }) => status), {
        timeout: 120_000,
        interval: 500,
      })
      .toBe(404);
    expect(await worker.counts(key, 'pets')).toEqual({ ant: 5, bee: 5 });
  });
});
