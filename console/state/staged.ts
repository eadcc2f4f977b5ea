/** Pictures that wait to be taught, and classes that have none yet; they stay while the user looks at other pages. */
import { signal } from '@preact/signals';
import { prepare } from '../pictures/prepare.ts';
import type { FoundFile } from '../pictures/dropped.ts';

export interface StagedPicture {
  readonly id: number;
  readonly label: string;
  readonly name: string;
  readonly blob: Blob;
  /** An object URL of the blob; revoked when the picture leaves. */
  readonly url: string;
}

interface Stage {
  readonly pictures: readonly StagedPicture[];
  /** Classes that the user has named, in that order. */
  readonly labels: readonly string[];
}

const NOTHING: Stage = { pictures: [], labels: [] };
const stages = signal<ReadonlyMap<string, Stage>>(new Map());
let lastId = 0;

export function stageOf(head: string): Stage {
  return stages.value.get(head) ?? NOTHING;
}

export function addLabel(head: string, label: string): void {
  const stage = stageOf(head);
  if (!stage.labels.includes(label)) put(head, { ...stage, labels: [...stage.labels, label] });
}

export function removeLabel(head: string, label: string): void {
  removePictures(
    head,
    stageOf(head).pictures.filter((picture) => picture.label === label),
  );
  const stage = stageOf(head);
  put(head, { ...stage, labels: stage.labels.filter((other) => other !== label) });
}

export function addPicture(head: string, label: string, blob: Blob, name: string): void {
  const stage = stageOf(head);
  const picture = { id: ++lastId, label, name, blob, url: URL.createObjectURL(blob) };
  put(head, { ...stage, pictures: [...stage.pictures, picture] });
}

/**
 * Prepares files one after another and adds them.
 * @returns what was wrong with those that could not be read.
 */
export async function addFiles(head: string, label: string, files: readonly FoundFile[]): Promise<string[]> {
  const faults: string[] = [];
  for (const { file } of files) {
    try {
      const { blob, name } = await prepare(file, file.name);
      addPicture(head, label, blob, name);
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
    }
  }
  return faults;
}

export function removePictures(head: string, pictures: readonly StagedPicture[]): void {
  const stage = stageOf(head);
  const gone = new Set(pictures.map(({ id }) => id));
  for (const { url } of pictures) URL.revokeObjectURL(url);
  put(head, { ...stage, pictures: stage.pictures.filter(({ id }) => !gone.has(id)) });
}

function put(head: string, stage: Stage): void {
  stages.value = new Map(stages.value).set(head, stage);
}
