/** All that the tenant's tables hold, part by part, each with the others that it needs. */
import { Backup } from './backup.ts';
import { Captures } from './captures.ts';
import { DeletedHeads } from './deleted-heads.ts';
import { Examples } from './examples.ts';
import { Heads } from './heads.ts';
import { Idempotency } from './idempotency.ts';
import { KeptPictures } from './kept-pictures.ts';
import { Keys } from './keys.ts';
import { Outbox, type Stores } from './outbox.ts';
import { Reports } from './report.ts';
import { RestoreUndo } from './restore-undo.ts';
import { SecondCodes } from './second-codes.ts';
import { Standing } from './standing.ts';
import { TrainingSets } from './training-set.ts';
import { Uploads } from './uploads.ts';
import { Usage } from './usage.ts';

export type Rows = ReturnType<typeof openRows>;

export function openRows(storage: DurableObjectStorage, stores: Stores) {
  const { sql } = storage;
  const standing = new Standing(storage);
  const outbox = new Outbox(storage, stores);
  const heads = new Heads(sql, outbox, standing);
  const deletedHeads = new DeletedHeads(sql);
  const pictures = new KeptPictures(sql, outbox, standing);
  const secondCodes = new SecondCodes(sql);
  const examples = new Examples(sql, pictures, secondCodes);
  return {
    sql,
    standing,
    outbox,
    keys: new Keys(sql, outbox),
    heads,
    deletedHeads,
    uploads: new Uploads(sql, outbox, heads, deletedHeads),
    pictures,
    examples,
    secondCodes,
    trainingSets: new TrainingSets(sql, examples),
    idempotency: new Idempotency(sql),
    reports: new Reports(sql, examples),
    captures: new Captures(sql),
    usage: new Usage(sql),
    backup: new Backup(sql, heads, examples),
    undo: new RestoreUndo(sql, outbox, heads, standing),
  };
}
