/**
 * Heads moved from an older deployment's default to a later one's while they are taught and forget, with workerd killed at
 * random steps of all that. What was answered must have happened; what was not is sent again, as a client does.
 */
import { ExampleList } from '../../src/api/index.ts';
import { Random } from '../fuzz/random.ts';
import { Mortal } from '../node/local/teaching.ts';
import { OLD, type Bundles } from '../node/local/two-defaults.ts';
import { Doomed, type Answer, type Send } from './doomed.ts';
import { LABELS, MovingHead, photo, sha256 } from './moving-head.ts';

export interface MovesOptions {
  readonly seed: number;
  readonly kills: number;
  readonly bundles: Bundles;
  /** Folder of the stores. */
  readonly state: string;
  /** Hears what should hold. */
  readonly check: (holds: boolean, what: string) => void;
}

/** Examples of each label at first: two pages and a training. */
const EACH = 20;
/** Heads for so many kills; each is killed at some of its steps. */
const KILLS_A_HEAD = 2;
/** Requests in four that are killed, as long as kills are left. */
const KILLED = 3;
/** Steps of a request that trains, at most; of a page it is some and one a picture. */
const STEPS = 9;
const PAGE_STEPS = 4;
const PAGE = 32;
/** Requests for one head, at most: more means that it never ends. */
const MOST = 100;

/** @returns the steps at which workerd was killed. */
export async function moveThroughKills(options: MovesOptions): Promise<string[]> {
  const { seed, kills, bundles, state, check } = options;
  const random = new Random(seed);
  const older = new Mortal(state, undefined, bundles.older);
  await older.start();
  const key = await tenantThatKeeps(older);
  const heads = Array.from(
    { length: Math.ceil(kills / KILLS_A_HEAD) },
    (_, i) => new MovingHead(`head-${i}`, key, check),
  );
  for (const head of heads) {
    await teachFirst(older, key, head);
    await head.verify(older, OLD);
  }
  await older.stop();
  const doomed = new Doomed(state, bundles.later);
  await doomed.worker.start();
  try {
    for (const head of heads) {
      if (doomed.kills.length >= kills) break;
      await new Move(head, key, doomed, random, kills, check).run();
    }
  } finally {
    await doomed.worker.stop();
  }
  check(doomed.kills.length === kills, `${doomed.kills.length} kills of ${kills}: too few heads`);
  return doomed.kills;
}

async function tenantThatKeeps(worker: Mortal): Promise<string> {
  const key = await worker.newTenant();
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ keep_images: true });
  await (await worker.call(key, '/v1/settings', { method: 'PUT', headers, body })).text();
  return key;
}

async function teachFirst(worker: Mortal, key: string, head: MovingHead): Promise<void> {
  const form = new FormData();
  for (const label of LABELS)
    for (let i = 0; i < EACH; i++) {
      const bytes = photo(label, i);
      form.append(label, new Blob([bytes]), 'photo.jpg');
      head.record.set(sha256(bytes), { label, bytes });
    }
  const answer = await worker.call(key, `/v1/heads/${head.name}/teach`, { method: 'POST', body: form });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** Requests that are sent at once, and what becomes of the record when all is answered. */
interface Turn {
  readonly sends: readonly Send[];
  /** Steps that all of it takes, about. */
  readonly steps: number;
  readonly allowed: readonly number[];
  readonly record: () => void;
}

class Move {
  readonly #head: MovingHead;
  readonly #key: string;
  readonly #doomed: Doomed;
  readonly #random: Random;
  readonly #kills: number;
  readonly #check: (holds: boolean, what: string) => void;
  /** Numbers of the pictures that were taught meanwhile. */
  #next = 100;
  /** Pictures that were taught at the same time as the last step of the move. */
  #late: string[] = [];

  constructor(
    head: MovingHead,
    key: string,
    doomed: Doomed,
    random: Random,
    kills: number,
    check: (holds: boolean, what: string) => void,
  ) {
    this.#head = head;
    this.#key = key;
    this.#doomed = doomed;
    this.#random = random;
    this.#kills = kills;
    this.#check = check;
  }

  async run(): Promise<void> {
    const { worker, kills } = this.#doomed;
    let progress = await this.#head.verify(worker);
    for (let i = 0; progress.state !== 'done'; i++) {
      if (i === MOST) throw new Error(`${this.#head.name} is not moved after ${MOST} requests.`);
      this.#late = [];
      const turn = this.#draw(progress.total - progress.done);
      const kill = kills.length < this.#kills && this.#random.below(4) < KILLED;
      const answers = await this.#doomed.send(turn.sends, kill ? 1 + this.#random.below(turn.steps) : 0);
      for (const { status, body } of answers)
        this.#check(turn.allowed.includes(status), `${this.#head.name}: ${status} ${JSON.stringify(body)}`);
      turn.record();
      progress = await this.#head.verify(worker);
    }
    await this.#head.verifyMoved(worker, this.#late);
    const [again] = await this.#doomed.send([this.#rebase]);
    this.#check(isDone(again), `${this.#head.name}: a repeat is answered ${JSON.stringify(again)}`);
    await this.#learnOn();
  }

  /** What is taught after the move is trained with the codes that all others have now. */
  async #learnOn(): Promise<void> {
    const turn = this.#teach(true);
    await this.#doomed.send(turn.sends);
    turn.record();
    await this.#head.verify(this.#doomed.worker);
    await this.#head.verifyCurrent(this.#doomed.worker);
  }

  /** @param left examples that a code is still wanted of. */
  #draw(left: number): Turn {
    const steps = left > 0 ? Math.min(left, PAGE) + PAGE_STEPS : STEPS;
    const alone: Turn = { sends: [this.#rebase], steps, allowed: [200], record: () => {} };
    return this.#random.do(
      () => alone,
      () => alone,
      () => this.#teach(),
      () => this.#forget(),
      () => this.#teachBeside(alone),
    );
  }

  #teachBeside(alone: Turn): Turn {
    const taught = this.#teach();
    const record = (): void => {
      const before = new Set(this.#head.record.keys());
      taught.record();
      this.#late = [...this.#head.record.keys()].filter((picture) => !before.has(picture));
    };
    const sends = [...alone.sends, ...taught.sends];
    return { ...taught, sends, steps: alone.steps + taught.steps, record };
  }

  readonly #rebase: Send = (worker) =>
    worker.call(this.#key, `/v1/heads/${this.#head.name}/rebase`, { method: 'POST' });

  #teach(train = !this.#random.oneIn(3)): Turn {
    const label = this.#random.pick(LABELS);
    const pictures = Array.from({ length: 1 + this.#random.below(3) }, () => photo(label, this.#next++));
    const query = train ? '' : '?train=false';
    const headers = { 'idempotency-key': `${this.#head.name}-${this.#next}` };
    const send: Send = (worker) => {
      const body = new FormData();
      for (const bytes of pictures) body.append(label, new Blob([bytes]), 'photo.jpg');
      const path = `/v1/heads/${this.#head.name}/teach${query}`;
      return worker.call(this.#key, path, { method: 'POST', headers, body });
    };
    const record = (): void => {
      for (const bytes of pictures) this.#head.record.set(sha256(bytes), { label, bytes });
    };
    return { sends: [send], steps: STEPS, allowed: [200], record };
  }

  #forget(): Turn {
    const picture = this.#random.pick([...this.#head.record.keys()]);
    let id: string | undefined;
    const send: Send = async (worker) => {
      id ??= await this.#exampleOf(worker, picture);
      return worker.call(this.#key, `/v1/heads/${this.#head.name}/examples/${id}`, { method: 'DELETE' });
    };
    // A repeat finds nothing where the first one was not answered.
    return { sends: [send], steps: 6, allowed: [200, 404], record: () => this.#head.forgot(picture) };
  }

  async #exampleOf(worker: Mortal, picture: string): Promise<string> {
    const answer = await worker.call(this.#key, `/v1/heads/${this.#head.name}/examples?limit=500`);
    const { examples } = ExampleList.parse(await answer.json());
    return examples.find((each) => each.picture === picture)?.id ?? '';
  }
}

function isDone({ status, body }: Answer): boolean {
  return (
    status === 200 && typeof body === 'object' && body !== null && 'state' in body && body.state === 'done'
  );
}
