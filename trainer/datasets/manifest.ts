/**
 * Data sets listed in a file. CSV: a header and the columns `path` and `label`, others ignored. JSONL: one object with
 * those two keys a line. Paths are relative to the manifest.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parse, CsvError } from 'csv-parse/sync';
import { z } from 'zod';
import { HeadwaterError } from '../../src/errors.ts';
import { systemReason } from '../cli/failure.ts';
import { readChecked } from '../files.ts';
import { normaliseLabel } from '../../src/head/limits.ts';
import { byCodeUnit, type DataSet, type LabelledPicture, type Skipped } from './dataset.ts';

/** Larger manifests are a mistake: this is about two million pictures. */
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

interface Row {
  readonly line: number;
  readonly path: string;
  readonly label: string;
}

/** @returns whether a data set of this name is a manifest. */
export function isManifest(path: string): boolean {
  return /\.(csv|jsonl|ndjson)$/i.test(path);
}

/**
 * @param file absolute path of the manifest.
 * @throws FileError when it cannot be read; training_data_invalid when it is malformed. Rows whose picture is missing
 * are skipped, not fatal.
 */
export async function readManifest(file: string): Promise<DataSet> {
  const text = await readText(file);
  const rows = /\.csv$/i.test(file) ? csvRows(text, file) : jsonRows(text, file);
  const pictures: LabelledPicture[] = [];
  const skipped: Skipped[] = [];
  for (const row of rows) {
    const problem = await problemOf(row, file);
    const name = row.path === '' ? `${basename(file)}:${row.line}` : row.path.replaceAll('\\', '/');
    if (problem !== undefined) skipped.push({ name, ...problem });
    else pictures.push({ path: resolve(dirname(file), row.path), name, label: normaliseLabel(row.label) });
  }
  pictures.sort((a, b) => byCodeUnit(a.name, b.name));
  const labels = [...new Set(rows.map((row) => normaliseLabel(row.label)))].filter((label) => label !== '');
  return { source: file, labels: labels.sort(byCodeUnit), pictures, skipped, notPictures: [] };
}

async function readText(file: string): Promise<string> {
  const bytes = await readChecked(file, `Could not read the manifest ${file}`, (size) => {
    if (size <= MAX_MANIFEST_BYTES) return;
    throw malformed(file, `is ${size} bytes long; at most ${MAX_MANIFEST_BYTES} are read`);
  });
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

async function problemOf(row: Row, file: string): Promise<Pick<Skipped, 'reason' | 'detail'> | undefined> {
  if (row.path === '') return { reason: 'unusable', detail: `Line ${row.line} names no file.` };
  if (normaliseLabel(row.label) === '')
    return { reason: 'unlabelled', detail: `Line ${row.line} gives no label.` };
  try {
    const info = await stat(resolve(dirname(file), row.path));
    if (info.isFile()) return undefined;
    return { reason: 'unusable', detail: `Line ${row.line}: it is no file.` };
  } catch (error) {
    return { reason: 'unusable', detail: `Line ${row.line}: ${systemReason(error)}.` };
  }
}

function csvRows(text: string, file: string): Row[] {
  const records = parseCsv(text, file);
  const [header, ...body] = records;
  if (header === undefined) throw malformed(file, 'is empty');
  const names = header.record.map((name) => name.trim().toLowerCase());
  const [path, label] = [names.indexOf('path'), names.indexOf('label')];
  if (path < 0 || label < 0) {
    throw malformed(
      file,
      `needs a header with the columns path and label; its first line has: ${names.join(', ')}`,
    );
  }
  return body.map(({ record, info }) => ({
    line: info.lines,
    path: (record[path] ?? '').trim(),
    label: record[label] ?? '',
  }));
}

/** A row's fields, with the line it stands on: csv-parse's types do not know what its option `info` adds. */
const CsvRecords = z.array(z.object({ record: z.array(z.string()), info: z.object({ lines: z.int() }) }));
type CsvRecord = z.infer<typeof CsvRecords>[number];

function parseCsv(text: string, file: string): CsvRecord[] {
  try {
    const options = { info: true, relax_column_count: true, skip_empty_lines: true } as const;
    return CsvRecords.parse(parse(text, options));
  } catch (error) {
    if (error instanceof CsvError) throw malformed(file, `is not valid CSV: ${error.message}`);
    throw error;
  }
}

function jsonRows(text: string, file: string): Row[] {
  const rows: Row[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() !== '') rows.push(jsonRow(line, i + 1, file));
  }
  return rows;
}

function jsonRow(text: string, line: number, file: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(file, `has no JSON object on line ${line}`);
  }
  if (typeof value !== 'object' || value === null)
    throw malformed(file, `has no JSON object on line ${line}`);
  const { path = '', label = '' } = value as { path?: unknown; label?: unknown };
  if (typeof path !== 'string' || typeof label !== 'string') {
    throw malformed(file, `has a path or label on line ${line} that is not a string`);
  }
  return { line, path: path.trim(), label };
}

function malformed(file: string, what: string): HeadwaterError {
  return new HeadwaterError('training_data_invalid', `The manifest ${file} ${what}.`);
}
