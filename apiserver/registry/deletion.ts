import type { KubernetesObject } from '../../shared/api/object.js';
import { timestamp } from './object-metadata.js';
import type { ResourceDefinition } from './definition.js';
import type { DeleteOptions } from './write-options.js';

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

/** What a delete request does to an object. */
export type DeletionPlan =
  | { readonly type: 'remove' }
  /** The object stays, changed, until somebody finishes the deletion. */
  | { readonly type: 'mark'; readonly object: KubernetesObject }
  | { readonly type: 'alreadyDeleting' };

/** Decides; `object` is a private copy that a `mark` returns changed. */
export function planDeletion(
  definition: ResourceDefinition,
  object: KubernetesObject,
  options: DeleteOptions,
  nowMs: number,
): DeletionPlan {
  const { metadata } = object;
  if (definition.finalization) return planNamespaceLike(definition, object, options, nowMs);
  const graceSeconds = definition.gracefulDelete?.(object, options.gracePeriodSeconds);
  if (metadata.deletionTimestamp && definition.gracefulDelete) {
    const pending = planSecondDeletion(object, options);
    if (pending) return pending;
  }
  const wasMarked = metadata.deletionTimestamp !== undefined;
  const finalizersChanged = adjustFinalizers(metadata, policyOf(definition, object, options));
  const hasFinalizers = (metadata.finalizers ?? []).length > 0;
  const isGraceful = graceSeconds !== undefined && graceSeconds > 0 && !wasMarked;
  if (!hasFinalizers && !isGraceful) return { type: 'remove' };
  if (wasMarked && !finalizersChanged) return { type: 'alreadyDeleting' };
  if (!wasMarked) mark(metadata, isGraceful ? graceSeconds : 0, nowMs);
  return { type: 'mark', object };
}

/** What the client says, else what the object says already, else what the kind says. */
function policyOf(
  { orphansByDefault }: ResourceDefinition,
  { metadata }: KubernetesObject,
  { propagationPolicy }: DeleteOptions,
): DeleteOptions['propagationPolicy'] {
  if (propagationPolicy !== undefined || !orphansByDefault) return propagationPolicy;
  const isDecided = (metadata.finalizers ?? []).some(
    (name) => name === orphanFinalizer || name === foregroundFinalizer,
  );
  return isDecided ? undefined : 'Orphan';
}

/** A pod that is already being deleted can only be hurried; undefined means: remove it now. */
function planSecondDeletion(object: KubernetesObject, options: DeleteOptions): DeletionPlan | undefined {
  const { metadata } = object;
  const current = metadata.deletionGracePeriodSeconds ?? 0;
  if (current === 0) return undefined;
  const wanted = options.gracePeriodSeconds;
  if (wanted === undefined || wanted >= current) return { type: 'alreadyDeleting' };
  if (wanted <= 0 && (metadata.finalizers ?? []).length === 0) return undefined;
  const startMs = Date.parse(metadata.deletionTimestamp ?? '') - current * 1000;
  metadata.deletionTimestamp = timestamp(startMs + Math.max(0, wanted) * 1000);
  metadata.deletionGracePeriodSeconds = Math.max(0, wanted);
  return { type: 'mark', object };
}

/** Namespaces: the first delete only marks; removal waits for all finalizers, also those of the spec. */
function planNamespaceLike(
  definition: ResourceDefinition,
  object: KubernetesObject,
  options: DeleteOptions,
  nowMs: number,
): DeletionPlan {
  const { metadata } = object;
  const isPending = definition.finalization?.isPending(object) === true;
  if (metadata.deletionTimestamp) {
    return isPending || (metadata.finalizers ?? []).length > 0 ? { type: 'alreadyDeleting' } : { type: 'remove' };
  }
  adjustFinalizers(metadata, options.propagationPolicy);
  if (!isPending && (metadata.finalizers ?? []).length === 0) return { type: 'remove' };
  mark(metadata, undefined, nowMs);
  definition.finalization?.onMarked(object);
  return { type: 'mark', object };
}

function mark(metadata: KubernetesObject['metadata'], graceSeconds: number | undefined, nowMs: number): void {
  metadata.deletionTimestamp = timestamp(nowMs + (graceSeconds ?? 0) * 1000);
  if (graceSeconds !== undefined) metadata.deletionGracePeriodSeconds = graceSeconds;
  if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation += 1;
}

/** Foreground and Orphan are requests to the garbage collector, left as finalizers. True when something changed. */
function adjustFinalizers(metadata: KubernetesObject['metadata'], policy: DeleteOptions['propagationPolicy']): boolean {
  if (policy === undefined) return false;
  const before = metadata.finalizers ?? [];
  const kept = before.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  if (policy === 'Orphan') kept.push(orphanFinalizer);
  if (policy === 'Foreground') kept.push(foregroundFinalizer);
  const changed = kept.length !== before.length || kept.some((finalizer) => !before.includes(finalizer));
  if (!changed) return false;
  if (kept.length > 0) metadata.finalizers = kept;
  else delete metadata.finalizers;
  return true;
}

/** Whether an update has taken away the last thing that kept a deleted object alive. */
export function isDeletionComplete(definition: ResourceDefinition, object: KubernetesObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (!deletionTimestamp || (finalizers ?? []).length > 0) return false;
  if (definition.finalization) return !definition.finalization.isPending(object);
  return (deletionGracePeriodSeconds ?? 0) === 0;
}
