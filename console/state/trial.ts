/** A picture that is tried on a head, with the head's answer. */
import { useEffect, useState } from 'preact/hooks';
import type { Classification } from '../../src/api/index.ts';
import type { FoundFile } from '../pictures/dropped.ts';
import { prepare } from '../pictures/prepare.ts';
import { client } from './session.ts';

/** The API's word for 'of the most probable label'. */
const TOP = 'label';
const TOP_K = 10;

export interface TriedPicture {
  readonly blob: Blob;
  readonly name: string;
  /** An object URL of the blob. */
  readonly url: string;
}

export interface Trial {
  readonly picture: TriedPicture | undefined;
  readonly answer: Classification | undefined;
  readonly error: unknown;
  readonly look: (files: readonly FoundFile[]) => void;
  /** Asks again, for where the score of a label comes from. undefined without a picture. */
  readonly explain: ((label: string) => void) | undefined;
  readonly clear: () => void;
}

/** @param version undefined for the one in use. */
export function useTrial(head: string, version: number | undefined): Trial {
  const [picture, setPicture] = useState<TriedPicture>();
  const [answer, setAnswer] = useState<Classification>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (picture === undefined) return undefined;
    return () => URL.revokeObjectURL(picture.url);
  }, [picture]);

  const classify = async ({ blob }: TriedPicture, label: string): Promise<void> => {
    const sent = { bytes: blob, type: blob.type };
    setAnswer(await client().classify(head, sent, { topK: TOP_K, version, explain: label }));
  };
  const clear = (): void => {
    setPicture(undefined);
    setAnswer(undefined);
    setError(undefined);
  };
  const look = async (file: File): Promise<void> => {
    clear();
    const { blob } = await prepare(file, file.name);
    const next = { blob, name: file.name, url: URL.createObjectURL(blob) };
    setPicture(next);
    await classify(next, TOP);
  };
  return {
    picture,
    answer,
    error,
    clear,
    look: ([found]) => void (found && look(found.file).catch(setError)),
    explain: picture && ((label) => void classify(picture, label).catch(setError)),
  };
}
