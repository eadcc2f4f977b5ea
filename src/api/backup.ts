/** A tenant's backup: lines of JSON, each a row; head files and codes in base64. docs/storage.md explains what it holds. */
import { z } from 'zod';
import { MAX_CODE_LENGTH } from '../head/limits.ts';
import { Name } from '../head/metadata.ts';
import { CodeSpaceFields, HeadName, Label, VersionNumber } from './common.ts';
import { HeadSettings } from './settings.ts';
import { ExampleSource } from './teach.ts';
import { Canary, VersionName } from './versions.ts';

export const BACKUP_FORMAT = 'headwater-backup/1';

/** Milliseconds; what a Date can hold. Revisions begin as times and count up. */
const time = z.int().min(0).max(8.64e15);
/** Far more versions than a head ever has. */
const version = VersionNumber.max(1e9);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().regex(/^[a-z2-7]{16}$/);

const Header = z.strictObject({
  row: z.literal('backup'),
  format: z.literal(BACKUP_FORMAT),
  created_at: time,
});
const TaughtRow = z.strictObject({
  row: z.literal('taught'),
  head: HeadName,
  origin: z.strictObject({
    name: Name,
    version: Name,
    weightsSha256: sha256,
    ...CodeSpaceFields,
    codeLength: z.int().min(1).max(MAX_CODE_LENGTH),
    base: z.strictObject({ version, sha256 }).optional(),
  }),
  first_revision: time,
  revision: time,
});
const ExampleRow = z.strictObject({
  row: z.literal('example'),
  head: HeadName,
  id,
  label: Label,
  picture: sha256,
  source: ExampleSource,
  code: z.string(),
  added_revision: time,
  created_at: time,
});
const VersionRow = z.strictObject({
  row: z.literal('version'),
  head: HeadName,
  version,
  trained_revision: time.nullable(),
  held_back: z.string().max(1000).nullable(),
  created_at: time,
  file: z.string(),
});
const HeadRow = z.strictObject({
  row: z.literal('head'),
  head: HeadName,
  current: version.nullable(),
  last_version: version,
  created_at: time,
  names: z.record(VersionName, version),
  canary: Canary.nullable(),
  shadow: version.nullable(),
  settings: HeadSettings,
});
/** The most missing versions that the last line names. */
export const MAX_MISSING_NAMED = 100;
const Missing = z.strictObject({
  total: z.int().min(1),
  versions: z
    .array(z.strictObject({ head: HeadName, version }))
    .min(1)
    .max(MAX_MISSING_NAMED)
    .describe('The first of them.'),
});
export type Missing = z.infer<typeof Missing>;
const End = z.strictObject({
  row: z.literal('end'),
  rows: z.int().describe('Number of rows before this one. If this row is missing, the file is incomplete.'),
  unchanged: z.boolean().describe('False where something changed while the file was written.'),
  missing: Missing.optional().describe(
    'Versions whose files were missing or damaged in the store. Absent where the backup is complete.',
  ),
});

export const BackupRow = z
  .discriminatedUnion('row', [Header, TaughtRow, ExampleRow, VersionRow, HeadRow, End])
  .meta({ id: 'BackupRow' });
export type BackupRow = z.infer<typeof BackupRow>;
export type BackupTaught = z.infer<typeof TaughtRow>;
export type BackupExample = z.infer<typeof ExampleRow>;
export type BackupVersion = z.infer<typeof VersionRow>;
export type BackupHead = z.infer<typeof HeadRow>;

export const Restored = z
  .object({ heads: z.int(), versions: z.int(), examples: z.int() })
  .meta({ id: 'Restored' });
