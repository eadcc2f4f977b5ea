/** All that the tenant's tables hold, part by part, each with the others that it needs. */
import { Backup } from './backup/records.ts';
import { Captures } from './teach/captures.ts';
import { DeletedHeads } from './heads/deleted-heads.ts';
import { Examples } from './teach/examples.ts';
import { Heads } from './heads/heads.ts';
import { Idempotency } from './teach/idempotency.ts';
import { KeptPictures } from './teach/kept-pictures.ts';
import { Keys } from './keys.ts';
import { Outbox, type Stores } from './outbox.ts';
import { Reports } from './teach/report.ts';
import { RestoreUndo } from './backup/undo.ts';
import { SecondCodes } from './rebase/second-codes.ts';
import { sqlOf } from './sql.ts';
import { Standing } from './standing.ts';
import { TrainingSets } from './teach/training-set.ts';
import { Uploads } from './heads/uploads.ts';
import { Usage } from './usage.ts';

export type Rows = ReturnType<typeof openRows>;

export function openRows(storage: DurableObjectStorage, stores: Stores) {
  const sql = sqlOf(storage.sql);
  const standing = new Standing(storage);
  const outbox = new Outbox(storage, stores);
  const heads = new Heads(sql, outbox, standing);
  const deletedHeads = new DeletedHeads(sql);
  const pictures = new KeptPictures(sql, outbox, standing);
  const secondCodes = new SecondCodes(sql);
  const examples = new Examples(sql, pictures, secondCodes);
  return {
    storage,
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
    trainingSets: new TrainingSets(storage.sql, examples),
    idempotency: new Idempotency(sql),
    reports: new Reports(sql, examples),
    captures: new Captures(sql),
    usage: new Usage(sql),
    backup: new Backup(sql, heads, examples),
    undo: new RestoreUndo(sql, outbox, heads, standing),
  };
}
