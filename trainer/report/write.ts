/** Writes a report to disk. */
import { writeWhole } from '../files.ts';
import { loadDecoder } from '../runtime.ts';
import { renderReport, type ReportInput } from './report.ts';

/** @throws FileError */
export async function writeReport(path: string, input: ReportInput): Promise<void> {
  await writeWhole(path, await renderReport(input, await loadDecoder()));
}
