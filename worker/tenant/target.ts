/** A group of the tenant's methods that the Worker calls: see stub.ts. */
import { RpcTarget } from 'cloudflare:workers';
import type { Rows } from './rows.ts';
import type { Write } from './writer.ts';

export abstract class TenantTarget extends RpcTarget {
  protected readonly rows: Rows;
  protected readonly write: Write;

  constructor(rows: Rows, write: Write) {
    super();
    this.rows = rows;
    this.write = write;
  }

  /** A tenant that is being deleted does not answer, though its rows are there to the end. */
  protected get exists(): boolean {
    return this.rows.standing.lasts;
  }
}
