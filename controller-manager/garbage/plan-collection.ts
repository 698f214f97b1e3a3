import type { OwnerReference } from '../../shared/api/generated/types.js';

/** How an owner stands, as verified with the server where the graph does not know it. */
export type OwnerState = 'solid' | 'dangling' | 'waiting';

export interface OwnerVerdict {
  readonly owner: OwnerReference;
  readonly state: OwnerState;
}

/** What to do about an object that has owners. */
export type Collection =
  | { readonly action: 'none' }
  /** Some owners are left: references to the others are taken off. */
  | { readonly action: 'detach'; readonly uids: readonly string[] }
  /**
   * `unblock`: a dependent of it waits for its own dependents as well, so owners may form a circle: the object stops
   * blocking its owners. Otherwise they wait until it is gone.
   */
  | { readonly action: 'delete'; readonly policy: 'Foreground' | 'Background' | 'Orphan'; readonly unblock: boolean };

/**
 * Decides about an object by the state of its owners: it lives while one is solid. `finalizers` of the object itself
 * say how its own dependents are treated.
 */
export function planCollection(
  verdicts: readonly OwnerVerdict[],
  finalizers: readonly string[],
  dependents: readonly { readonly isForeground: boolean }[],
): Collection {
  if (verdicts.length === 0) return { action: 'none' };
  const lost = verdicts.filter(({ state }) => state !== 'solid');
  if (lost.length === 0) return { action: 'none' };
  if (lost.length < verdicts.length) return { action: 'detach', uids: lost.map(({ owner }) => owner.uid) };
  const waiting = verdicts.filter(({ state }) => state === 'waiting');
  if (waiting.length > 0 && dependents.length > 0) {
    return { action: 'delete', policy: 'Foreground', unblock: dependents.some(({ isForeground }) => isForeground) };
  }
  if (finalizers.includes('orphan')) return { action: 'delete', policy: 'Orphan', unblock: false };
  if (finalizers.includes('foregroundDeletion')) return { action: 'delete', policy: 'Foreground', unblock: false };
  return { action: 'delete', policy: 'Background', unblock: false };
}
