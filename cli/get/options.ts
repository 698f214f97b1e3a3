import type { GlobalFlags } from '../flags.js';
import type { PrintFlags } from '../print-flags.js';

export interface GetFlags extends GlobalFlags, PrintFlags {
  selector?: string;
  fieldSelector?: string;
  sortBy?: string;
  subresource?: string;
  raw?: string;
  filename?: string[];
  labelColumns?: string[];
  chunkSize: number;
  allNamespaces: boolean;
  watch: boolean;
  watchOnly: boolean;
  outputWatchEvents: boolean;
  recursive: boolean;
  ignoreNotFound: boolean;
  /** Commander's name of --no-headers. */
  headers: boolean;
  showLabels: boolean;
  showKind: boolean;
}
