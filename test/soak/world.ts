/** The real service with its tenants, bursts of requests to it, and kills in the middle of them. */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Mortal } from '../node/local/teaching.ts';
import type { Call } from './calls.ts';
import { inspect, type Probe } from './inspect.ts';
import type { Material, Trained } from './material.ts';
import { Model } from './model.ts';
import { OPENING, type Burst, type Kill, type TenantOperation } from './operations.ts';
import { restoredState } from './state.ts';
import { firstKey, TenantUnderTest, type Tried } from './tenant.ts';

const MOST_TENANTS = 3;

/** What was done so far. */
export interface Tally {
  kills: number;
  requests: number;
  answered: number;
  unanswered: number;
  bursts: number;
  restores: number;
}

const Created = z.object({ id: z.string(), key: z.string() });

export class World {
  readonly tally: Tally = { kills: 0, requests: 0, answered: 0, unanswered: 0, bursts: 0, restores: 0 };
  /** Those that were ever made and not deleted. */
  readonly tenants: TenantUnderTest[] = [];
  /** Whose creation was not answered: unknown tenants that there may be. */
  unknownTenants = 0;
  /** Keys of tenants that were deleted. */
  readonly endedKeys: string[] = [];
  readonly mortal: Mortal;
  readonly #model: Model;
  readonly #material: Material;
  readonly #probe: Probe;
  readonly #files = new Map<string, Trained>();
  /** Tenants that the bursts go to. */
  #active: TenantUnderTest[] = [];
  #names = 0;
  #steps = 0;
  #fatalStep = Infinity;
  #pauses: readonly number[] = [];

  constructor(mortal: Mortal, material: Material, probe: Probe) {
    this.mortal = mortal;
    this.#material = material;
    this.#probe = probe;
    this.#model = new Model(async (labels) => {
      const trained = await material.trained(labels);
      this.#files.set(trained.sha256, trained);
      return trained.sha256;
    });
  }

  /** Two new tenants, to which bursts go from now on. */
  async begin(): Promise<void> {
    this.#active = [];
    for (let i = 0; i < 2; i++) {
      const { id, key } = Created.parse(await (await this.mortal.createTenant()).json());
      await this.#enter(new TenantUnderTest(id, key));
    }
    for (const burst of OPENING) await this.play(burst);
  }

  /** After a failure: what these tenants hold is not known any more, so they go. */
  async forgetActive(): Promise<void> {
    for (const tenant of this.#active) {
      await this.mortal.deleteTenant(tenant.id).catch(() => undefined);
      this.tenants.splice(this.tenants.indexOf(tenant), 1);
    }
    this.#active = [];
  }

  /** To be called at each step of a request (test/node/local/steps.mjs). */
  async onStep(): Promise<void> {
    const step = this.#steps++;
    if (step + 1 === this.#fatalStep) this.mortal.kill();
    const pause = this.#pauses[step % this.#pauses.length] ?? 0;
    if (pause > 0) await wait(pause);
  }

  async play({ acts, tenantOperation, kill, pauses }: Burst): Promise<void> {
    this.tally.bursts++;
    this.#pauses = pauses;
    const subject = tenantOperation && this.#active[tenantOperation.tenant % this.#active.length];
    const planned = new Map<TenantUnderTest, { calls: Call[]; delays: readonly number[] }>();
    for (const { tenant, operations, delays } of acts) {
      const its = this.#active[tenant % this.#active.length];
      if (its !== subject && !planned.has(its))
        planned.set(its, { calls: await its.plan(operations, this.#source()), delays });
    }
    const tried = new Map<TenantUnderTest, Tried[]>();
    const sent = [...planned].map(async ([tenant, { calls, delays }]) => {
      const answers = calls.map((call, i) => this.#try(tenant, call, delays[i % delays.length]));
      tried.set(tenant, await Promise.all(answers));
    });
    const special = subject && tenantOperation ? this.#onTenant(subject, tenantOperation) : undefined;
    const broken = await this.#killing(kill, Promise.all([...sent, special?.begun]));
    this.#pauses = [];
    await special?.finish();
    for (const tenant of this.#active) {
      const its = tried.get(tenant) ?? [];
      if (broken || its.length > 0) await tenant.explain(this.#model, this.mortal, its, broken);
    }
    if (broken) await this.#repeatKeyed(tried);
    if (broken || this.tally.bursts % 8 === 0) for (const tenant of this.#active) await this.#inspect(tenant);
  }

  #source() {
    const files = new Map([...this.#files].map(([hash, { bytes }]) => [hash, bytes]));
    return { material: this.#material, files, freshName: () => `name-${++this.#names}` };
  }

  async #try(tenant: TenantUnderTest, call: Call, delayMs = 0): Promise<Tried> {
    if (delayMs > 0) await wait(delayMs);
    const answer = await tenant.send(this.mortal, call);
    this.tally.requests++;
    this.tally[answer === undefined ? 'unanswered' : 'answered']++;
    return { call, change: call.change, answer };
  }

  /** @returns whether workerd was killed and started again. */
  async #killing(kill: Kill | null, requests: Promise<unknown>): Promise<boolean> {
    if (kill === null) {
      await requests;
      return false;
    }
    this.#steps = 0;
    this.#fatalStep = 'step' in kill ? kill.step : Infinity;
    if ('ms' in kill) {
      await Promise.race([requests, wait(kill.ms)]);
      this.mortal.kill();
    }
    await requests;
    this.#fatalStep = Infinity;
    this.mortal.kill();
    this.tally.kills++;
    await this.mortal.restart();
    return true;
  }

  /** A request with an Idempotency-Key that got no answer is sent again: then it has happened, once. */
  async #repeatKeyed(tried: ReadonlyMap<TenantUnderTest, readonly Tried[]>): Promise<void> {
    for (const [tenant, its] of tried)
      for (const { call, answer } of its) {
        const { change } = call;
        if (answer !== undefined || change.kind !== 'teach' || change.key === undefined) continue;
        await tenant.explain(this.#model, this.mortal, [await this.#try(tenant, call)], false);
      }
  }

  #onTenant(
    subject: TenantUnderTest,
    { kind }: TenantOperation,
  ): { begun: Promise<unknown>; finish: () => Promise<void> } | undefined {
    if (kind === 'restore' && this.#active.length < MOST_TENANTS) return this.#restore(subject);
    return kind === 'delete tenant' && this.#active.length > 1 ? this.#delete(subject) : undefined;
  }

  /** A backup goes into a new tenant. What got no answer is sent again, until it has one. */
  #restore(subject: TenantUnderTest) {
    let backup: string | undefined;
    let target: z.infer<typeof Created> | undefined;
    let isRestored = false;
    const send = async (): Promise<void> => {
      if (backup === undefined || target === undefined) return;
      const headers = { 'content-type': 'application/x-ndjson' };
      const init = { method: 'POST', headers, body: backup };
      const { status } = await this.mortal.call(target.key, '/v1/restore', init);
      // Where it had come to its end, a second one is refused.
      if (status !== 200 && status !== 409) throw new Error(`a restore was answered ${status}`);
      isRestored = true;
    };
    const begin = async (): Promise<void> => {
      const answer = await this.mortal.call(subject.key, '/v1/backup');
      backup = await answer.text();
      this.unknownTenants++;
      target = Created.parse(await (await this.mortal.createTenant()).json());
      this.unknownTenants--;
      await send();
    };
    const finish = async (): Promise<void> => {
      if (target === undefined) return;
      if (!isRestored) await send();
      this.tally.restores++;
      const { id, key } = target;
      await this.#enter(new TenantUnderTest(id, key, restoredState(subject.state, firstKey())));
    };
    return { begun: begin().catch(() => undefined), finish };
  }

  #delete(subject: TenantUnderTest) {
    const send = () => this.mortal.deleteTenant(subject.id);
    let status: number | undefined;
    const begun = send()
      .then((answer) => (status = answer.status))
      .catch(() => undefined);
    const finish = async (): Promise<void> => {
      status ??= (await send()).status;
      if (status !== 204 && status !== 404) throw new Error(`deleting a tenant was answered ${status}`);
      this.#active = this.#active.filter((tenant) => tenant !== subject);
      this.tenants.splice(this.tenants.indexOf(subject), 1);
      this.endedKeys.push(subject.key);
    };
    return { begun, finish };
  }

  async #enter(tenant: TenantUnderTest): Promise<void> {
    this.tenants.push(tenant);
    this.#active.push(tenant);
    await tenant.explain(this.#model, this.mortal, [], false);
  }

  async #inspect(tenant: TenantUnderTest): Promise<void> {
    if (tenant.observed === undefined) return;
    const send = tenant.sender(this.mortal);
    const { state, observed, secrets } = tenant;
    const sendWith = (key: string, path: string): Promise<Response> => this.mortal.call(key, path);
    await inspect({ send, state, observed, secrets, sendWith, probe: this.#probe, files: this.#files });
  }
}
