import type { Annotate } from '../audit/request-audit.js';
import type { User } from '../authentication/user.js';

/** What comes with a write besides the object. */
export interface WriteOptions {
  readonly user: User;
  readonly isDryRun: boolean;
  /** Who is noted in managedFields. */
  readonly fieldManager: string;
  /** Server-side apply: take fields over from other managers. */
  readonly force: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void;
  /** Notes something in the audit log's entry of this request. */
  readonly annotate?: Annotate;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}
