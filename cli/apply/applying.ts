import type { DryRun, FileFlags, WriteFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import type { ResourceMapper } from '../resource-mapper.js';
import type { ServerApi } from '../server-api.js';

export interface ApplyFlags extends FileFlags, WriteFlags {
  selector?: string;
  serverSide: boolean;
  forceConflicts: boolean;
  force: boolean;
  overwrite: boolean;
  wait: boolean;
  gracePeriod: number;
  timeout: string;
  prune: boolean;
  all: boolean;
  pruneAllowlist?: string[];
}

/** What every step of one apply needs. */
export interface Applying {
  readonly context: CommandContext;
  readonly api: ServerApi;
  readonly flags: ApplyFlags;
  readonly dryRun: DryRun;
  readonly mapper: ResourceMapper;
  /** Query of every write. */
  readonly query: Readonly<Record<string, string | undefined>>;
}
