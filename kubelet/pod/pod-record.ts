import type { Pod } from '../../shared/api/generated/types.js';
import type { WaitingReason } from '../status/container-status.js';
import type { PodFailure } from '../status/pod-status.js';
import type { PodResize } from './resize.js';

/** What the kubelet keeps in memory of one pod. All of it can be had again from the API and the runtime. */
export interface PodRecord {
  readonly uid: string;
  /** The newest version; undefined once the API does not have it (any more). */
  pod: Pod | undefined;
  /** Nothing in the runtime can belong to it yet, which saves the first look. */
  isUntouched: boolean;
  isAdmitted: boolean;
  /** Nothing runs any more and its end is written. */
  isSettled: boolean;
  /** Why the kubelet refused or ended it. */
  failure: PodFailure | undefined;
  /** What keeps a resize from being done. */
  resize: PodResize | undefined;
  /** Why containers are not started, by name. */
  readonly waiting: Map<string, WaitingReason>;
  /** Syncs in a row in which a container could not be started. */
  failures: number;
  /** Attempts in a row that failed as a whole, and when the next is due; for as long as the pod asks for the same. */
  retry: { readonly failures: number; readonly atMs: number; readonly intent: string } | undefined;
  /** Ends the sync under way, because the pod is to end. */
  interrupt: AbortController;
}

export function newRecord(uid: string, pod: Pod | undefined, isUntouched: boolean): PodRecord {
  return {
    uid,
    pod,
    isUntouched,
    isAdmitted: false,
    isSettled: false,
    failure: undefined,
    resize: undefined,
    waiting: new Map(),
    failures: 0,
    retry: undefined,
    interrupt: new AbortController(),
  };
}
