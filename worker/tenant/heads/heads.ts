/**
 * What is done with the tenant's heads and their versions: made current, named, silenced, deleted. Every method runs
 * within one transaction of its caller. How versions come is in uploads.ts.
 */
import type { HeadSettings } from '../../../src/api/index.ts';
import { MAX_VERSION_NAMES } from '../../limits.ts';
import type { Pointer } from '../../stores/layout.ts';
import { refuse, type Refused } from '../refused.ts';
import { HeadRows } from './head-rows.ts';

export class Heads extends HeadRows {
  /** Makes a version current; or, with a share below 100, lets it answer that share of requests as a canary. */
  activate(head: string, version: number, percent = 100): Pointer | Refused {
    const fault = this.unknown(head, version);
    if (fault !== undefined) return fault;
    const canary = percent === 100 ? null : version;
    this.sql`UPDATE heads SET canary_version = ${canary}, canary_percent = ${canary && percent}
      WHERE name = ${head}`;
    const current = canary === null ? version : (this.row(head)?.current ?? version);
    return this.setCurrent(head, current);
  }

  /** Gives a version a name, taking it from another one where that has it. */
  nameVersion(head: string, name: string, version: number): Pointer | Refused {
    const fault = this.unknown(head, version);
    if (fault !== undefined) return fault;
    const names = this.names(head);
    if (names.length >= MAX_VERSION_NAMES && !names.some((known) => known.name === name)) {
      return refuse('limit_reached', `Head '${head}' has ${names.length} named versions, as many as it may.`);
    }
    this.sql`INSERT INTO version_names VALUES (${head}, ${name}, ${version})
      ON CONFLICT (head, name) DO UPDATE SET version = excluded.version`;
    return this.touch(head);
  }

  unnameVersion(head: string, name: string): Pointer | Refused {
    const fault = this.absent(head);
    if (fault !== undefined) return fault;
    if (!this.names(head).some((known) => known.name === name)) {
      return refuse('version_not_found', `Head '${head}' has no version named '${name}'.`);
    }
    this.sql`DELETE FROM version_names WHERE head = ${head} AND name = ${name}`;
    return this.touch(head);
  }

  /** @param version null ends it. */
  shadow(head: string, version: number | null): Pointer | Refused {
    const fault = version === null ? this.absent(head) : this.unknown(head, version);
    if (fault !== undefined) return fault;
    this.sql`UPDATE heads SET shadow_version = ${version} WHERE name = ${head}`;
    return this.touch(head);
  }

  /** Deletes a version that does not answer unnamed requests. */
  removeVersion(head: string, version: number, now: number): Pointer | Refused {
    const fault = this.unknown(head, version);
    if (fault !== undefined) return fault;
    const { current, versions } = this.pointer(head)!;
    if (version === current) {
      return refuse(
        'conflict',
        `Version ${version} of '${head}' is current. Make another one current first.`,
      );
    }
    if (version === this.taughtOn(head)) {
      return refuse('conflict', `Version ${version} of '${head}' is what its examples are taught on top of.`);
    }
    this.drop(head, version, versions[version], now);
    return this.touch(head);
  }

  configure(head: string, settings: HeadSettings): HeadSettings | Refused {
    const fault = this.absent(head);
    if (fault !== undefined) return fault;
    this.sql`UPDATE heads SET settings = ${JSON.stringify(settings)} WHERE name = ${head}`;
    this.touch(head);
    return settings;
  }

  /** Removes a head with all versions, names and settings. @returns a pointer without any, so that the caller's isolate knows. */
  remove(head: string, now: number): Pointer | Refused {
    if (this.row(head) === undefined) return refuse('head_not_found', `There is no head '${head}'.`);
    for (const { version, sha256 } of this.versions(head)) this.drop(head, version, sha256, now);
    // Uploads on their way lose their reservation; their objects are garbage already.
    this.sql`DELETE FROM versions WHERE head = ${head}`;
    this.sql`DELETE FROM version_names WHERE head = ${head}`;
    this.sql`
      UPDATE heads SET canary_version = NULL, canary_percent = NULL, shadow_version = NULL, settings = NULL
        WHERE name = ${head}`;
    return this.setCurrent(head, null);
  }

  /**
   * Deletes the versions that were trained while forgotten examples were there, but for those kept by name.
   * @param from the earliest revision in question. @param until the first one that is clean.
   * @param otherwise the version that answers from now on where the current one goes; none without.
   */
  dropTrained(
    head: string,
    from: number,
    until: number,
    now: number,
    otherwise: number | null = null,
  ): Pointer | null {
    const kept = new Set(this.names(head).map(({ version }) => version));
    const row = this.row(head);
    let current = row?.current ?? null;
    for (const { version, sha256, trained_revision: trained } of this.versions(head)) {
      if (trained === null || trained < from || trained >= until) continue;
      // A name keeps the file, not its place as what answers when no version is named.
      if (version === current) current = otherwise;
      if (!kept.has(version)) this.drop(head, version, sha256, now);
    }
    return row === undefined ? null : this.setCurrent(head, current);
  }
}
