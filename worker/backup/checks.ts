/** What a row of a backup may be, given the rows before it: their order, that they fit together, and the caps of a tenant. */
import type {
  BackupExample,
  BackupHead,
  BackupRow,
  BackupTaught,
  BackupVersion,
  Missing,
} from '../../src/api/index.ts';
import { allowsSize, type Plan } from '../../src/backbone/index.ts';
import { sameSpace, spaceOf, spaceOfPlan, type CodeSpace, type Head } from '../../src/head/index.ts';
import {
  MAX_CLASSES_PER_TAUGHT_HEAD,
  MAX_EXAMPLES_PER_HEAD,
  MAX_EXAMPLES_PER_TENANT,
  MAX_HEADS_PER_TENANT,
  MAX_VERSION_NAMES,
  MAX_VERSIONS_PER_HEAD,
} from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import type { Runtime } from '../isolate/backbones.ts';
import { CodeOrigin } from '../tenant/code-origin.ts';

/** Named versions, and the one that examples are taught on top of, are kept beside the newest. */
const MAX_VERSIONS_KEPT = MAX_VERSIONS_PER_HEAD + MAX_VERSION_NAMES + 1;

export class RestoreChecks {
  readonly #runtime: Runtime;
  #taughtHeads = 0;
  #liveHeads = 0;
  /** How many versions came of heads whose own row is still to come. */
  readonly #versions = new Map<string, number>();
  /** Whose examples and versions come now. */
  #taught: BackupTaught | undefined;
  #labels = new Set<string>();
  #examplesOfHead = 0;
  #examples = 0;
  #rows = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws ApiError invalid_request, limit_reached, backbone_mismatch */
  async admit(row: BackupRow): Promise<void> {
    if ((this.#rows === 0) !== (row.row === 'backup'))
      throw invalidBackup('it does not begin with its header');
    if (row.row === 'taught') await this.#admitTaught(row);
    else if (row.row === 'example') this.#admitExample(row);
    else if (row.row === 'version') this.#admitVersion(row);
    else if (row.row === 'head') this.#admitHeadRow(row);
    else if (row.row === 'end') this.#admitEnd(row);
    this.#rows++;
  }

  /** @param bytes of the example admitted last. */
  admitCode(bytes: Uint8Array): void {
    const length = this.#taught?.origin.codeLength ?? 0;
    const fits = bytes.byteLength === length * Float16Array.BYTES_PER_ELEMENT;
    if (!fits || !new Float16Array(bytes.slice().buffer).every(Number.isFinite))
      throw invalidBackup(`line ${this.#rows} holds a code that is not ${length} finite numbers`);
  }

  /** The head file of the version admitted last: where examples are taught on top of it, they must be its codes. */
  admitHead(version: number, sha256: string, head: Head): void {
    const origin = this.#taught?.origin;
    if (origin?.base?.version !== version || origin.base.sha256 !== sha256) return;
    if (!sameSpace(CodeOrigin.parse(origin), spaceOf(head)))
      throw otherCodes(`line ${this.#rows} is a version that reads other codes than its examples are`);
  }

  async #admitTaught(row: BackupTaught): Promise<void> {
    if (++this.#taughtHeads > MAX_HEADS_PER_TENANT) throw tooManyHeads();
    const origin = CodeOrigin.parse(row.origin);
    const { plan } = await this.#runtime.of({ backbone: origin, input: origin.input });
    // Codes of another backbone can be kept, and nothing be trained on them here.
    const isOurs = origin.base === undefined && origin.weightsSha256 === plan.weightsSha256;
    if (isOurs && !isMadeBy(plan, origin))
      throw otherCodes(`the examples of head '${row.head}' are no codes of its backbone`);
    this.#taught = row;
    this.#labels = new Set();
    this.#examplesOfHead = 0;
  }

  #admitExample({ head, label }: BackupExample): void {
    if (head !== this.#taught?.head)
      throw invalidBackup(`line ${this.#rows + 1} is an example of a head whose row does not come before it`);
    this.#labels.add(label);
    if (this.#labels.size > MAX_CLASSES_PER_TAUGHT_HEAD)
      throw full(`Head '${head}' has more than ${MAX_CLASSES_PER_TAUGHT_HEAD} classes`);
    if (++this.#examplesOfHead > MAX_EXAMPLES_PER_HEAD)
      throw full(`Head '${head}' has more than ${MAX_EXAMPLES_PER_HEAD} examples`);
    if (++this.#examples > MAX_EXAMPLES_PER_TENANT)
      throw full(`It has more than ${MAX_EXAMPLES_PER_TENANT} examples`);
  }

  #admitVersion({ head }: BackupVersion): void {
    const versions = (this.#versions.get(head) ?? 0) + 1;
    if (versions > MAX_VERSIONS_KEPT)
      throw full(`Head '${head}' has more than ${MAX_VERSIONS_KEPT} versions`);
    this.#versions.set(head, versions);
    if (this.#versions.size > MAX_HEADS_PER_TENANT) throw tooManyHeads();
  }

  #admitHeadRow({ head, names, current }: BackupHead): void {
    // The row of a deleted head does not count (tenant/heads/deleted-heads.ts).
    const lives = current !== null || this.#versions.has(head);
    if (lives && ++this.#liveHeads > MAX_HEADS_PER_TENANT) throw tooManyHeads();
    if (Object.keys(names).length > MAX_VERSION_NAMES)
      throw full(`Head '${head}' has more than ${MAX_VERSION_NAMES} named versions`);
    this.#versions.delete(head);
  }

  #admitEnd({ rows, unchanged, missing }: BackupRow & { row: 'end' }): void {
    if (missing !== undefined) throw notWhole(missing);
    if (rows !== this.#rows) throw invalidBackup(`it says that it has ${rows} rows and has ${this.#rows}`);
    if (!unchanged) throw invalidBackup('something changed while it was made; make another one');
    const [orphan] = this.#versions.keys();
    if (orphan !== undefined) throw invalidBackup(`it has versions of '${orphan}', but not the head itself`);
  }
}

export function invalidBackup(what: string): ApiError {
  return new ApiError('invalid_request', `The backup cannot be restored: ${what}. Nothing of it was kept.`);
}

function otherCodes(what: string): ApiError {
  return new ApiError('backbone_mismatch', `The backup cannot be restored: ${what}. Nothing of it was kept.`);
}

function notWhole({ total, versions: [{ head, version }] }: Missing): ApiError {
  return invalidBackup(
    `it is not whole: the files of ${total} versions were missing or damaged when it was made, the first version ${version} of '${head}'. Delete these versions where they were, and make another backup`,
  );
}

function full(what: string): ApiError {
  return new ApiError(
    'limit_reached',
    `The backup cannot be restored: ${what}, as many as a tenant may have. Nothing of it was kept.`,
  );
}

function tooManyHeads(): ApiError {
  return full(`It has more than ${MAX_HEADS_PER_TENANT} heads`);
}

function isMadeBy(plan: Plan, space: CodeSpace): boolean {
  const { input } = space;
  return (input === undefined || allowsSize(plan, input)) && sameSpace(space, spaceOfPlan(plan, input));
}
