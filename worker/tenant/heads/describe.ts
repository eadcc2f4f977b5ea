/**
 * What the API tells of heads. What a head says about itself, its file's metadata, is kept beside the version's row, so
 * that looking at a head opens no file; lists read summaries of it: see descriptions.ts.
 */
import type {
  ClassSummary,
  HeadDetail,
  HeadList,
  HeadSummary,
  Routing,
  ShadowReport,
  VersionSummary,
} from '../../../src/api/index.ts';
import { z } from 'zod';
import { HeadwaterError } from '../../../src/errors.ts';
import { heldOutFolds, heldOutText, parseMethod, type Head } from '../../../src/head/index.ts';
import { readMetadata, writeMetadata, type HeadMetadata } from '../../../src/head/metadata.ts';
import { MAX_DESCRIPTION_BYTES } from '../../limits.ts';
import type { Pointer } from '../../stores/layout.ts';
import { Summary } from './descriptions.ts';
import type { HeadRow, HeadRows, VersionRow } from './head-rows.ts';

/** @throws HeadwaterError head_too_large */
export function describe(head: Head): string {
  const text = JSON.stringify(writeMetadata(head));
  if (new TextEncoder().encode(text).byteLength > MAX_DESCRIPTION_BYTES) {
    throw new HeadwaterError(
      'head_too_large',
      `The head's labels and metrics take more than ${MAX_DESCRIPTION_BYTES} bytes. Use shorter labels or fewer of them.`,
    );
  }
  return text;
}

export const parse = (text: string): HeadMetadata =>
  readMetadata(z.record(z.string(), z.string()).parse(JSON.parse(text)));

function headSummary(row: HeadRow & { current: number; summary: string }): HeadSummary {
  return {
    head: row.name,
    version: row.current,
    classes: readSummary(row.summary).classes,
    versions: row.committed_versions,
    created_at: new Date(row.created_at).toISOString(),
  };
}

/** @param rows by name, one more than the page has where there is another page. */
export function headList(rows: readonly Parameters<typeof headSummary>[0][], limit: number): HeadList {
  const page = rows.slice(0, limit);
  const next = rows.length > limit ? page.at(-1)?.name : undefined;
  return { heads: page.map(headSummary), next };
}

export function headDetail(heads: HeadRows, row: HeadRow & { current: number }): HeadDetail {
  return {
    head: row.name,
    version: row.current,
    created_at: new Date(row.created_at).toISOString(),
    classes: classSummaries(parse(heads.descriptions.find(row.name, row.current))),
    versions: heads.summarised(row.name).map((version) => versionSummary(version, row.current)),
  };
}

const readSummary = (text: string): Summary => Summary.parse(JSON.parse(text));

/** @param counted what a version in the shadow did so far. */
export function routing(
  { current, canary, shadow, names }: Pointer,
  counted: (shadow: number) => Omit<ShadowReport, 'version'>,
): Routing {
  return {
    version: current,
    names,
    canary: canary ?? undefined,
    shadow: shadow === null ? undefined : { version: shadow, ...counted(shadow) },
  };
}

export function classSummaries({ labels, training }: HeadMetadata): ClassSummary[] {
  return labels.map((label, i) => {
    const found = training.leaveOneOut?.perClass[i];
    const examples = training.counts[i];
    // Where no example of it was judged: those of a head that is taught further are not here.
    if (found === undefined || found.support === 0) return { label, examples };
    return { label, examples, precision: found.precision, recall: found.recall, f1: found.f1 };
  });
}

/** @param current the version that answers. */
export function versionSummary(row: VersionRow & { summary: string }, current: number): VersionSummary {
  const { classes, examples, method, leave_one_out: heldOut, test } = readSummary(row.summary);
  return {
    version: row.version,
    current: row.version === current,
    sha256: row.sha256,
    bytes: row.bytes,
    created_at: new Date(row.created_at).toISOString(),
    classes,
    examples,
    method,
    held_out_by: heldOutText(heldOutFolds(parseMethod(method))),
    leave_one_out: heldOut,
    test: test ?? undefined,
  };
}
