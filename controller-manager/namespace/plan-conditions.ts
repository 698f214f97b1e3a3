import { removeCondition, setCondition } from '../../shared/api/condition.js';
import type { NamespaceCondition } from '../../shared/api/generated/types.js';

/** What one pass over a namespace's content found. */
export interface ContentReport {
  /** Group versions whose resources could not be listed, with the reason. */
  readonly discoveryFailures: ReadonlyMap<string, string>;
  /** What could not be deleted, with the reason. */
  readonly deletionFailures: readonly string[];
  /** Number of objects left, by `resource.group`. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Number of objects that wait for a finalizer, by finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
}

type Told = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>;

/** The conditions that tell why a namespace is still there, in the original's words. */
export function namespaceConditions(
  present: readonly NamespaceCondition[] | undefined,
  report: ContentReport,
  nowIso: string,
): NamespaceCondition[] {
  const told: Told[] = [
    ...discoveryCondition(report),
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    contentDeletion(report),
    contentRemaining(report),
    finalizersRemaining(report),
  ];
  let conditions = removeCondition(present, '');
  for (const condition of told) conditions = setCondition<NamespaceCondition>(conditions, condition, nowIso);
  return [...conditions];
}

function discoveryCondition({ discoveryFailures }: ContentReport): Told[] {
  const type = 'NamespaceDeletionDiscoveryFailure';
  if (discoveryFailures.size === 0) {
    return [{ type, status: 'False', reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' }];
  }
  const list = [...discoveryFailures].map(([version, reason]) => `${version}: ${reason}`).join(', ');
  const message = `Discovery failed for some groups, ${discoveryFailures.size} failing: unable to retrieve the complete list of server APIs: ${list}`;
  return [{ type, status: 'True', reason: 'DiscoveryFailed', message }];
}

function contentDeletion({ deletionFailures }: ContentReport): Told {
  const type = 'NamespaceDeletionContentFailure';
  if (deletionFailures.length === 0) {
    const message = 'All content successfully deleted, may be waiting on finalization';
    return { type, status: 'False', reason: 'ContentDeleted', message };
  }
  const message = `Failed to delete all resource types, ${deletionFailures.length} remaining: ${deletionFailures.join(', ')}`;
  return { type, status: 'True', reason: 'ContentDeletionFailed', message };
}

function contentRemaining({ remaining }: ContentReport): Told {
  const type = 'NamespaceContentRemaining';
  if (remaining.size === 0) {
    return { type, status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' };
  }
  const counts = sorted(remaining).map(([resource, count]) => `${resource} has ${count} resource instances`);
  const message = `Some resources are remaining: ${counts.join(', ')}`;
  return { type, status: 'True', reason: 'SomeResourcesRemain', message };
}

function finalizersRemaining({ finalizers }: ContentReport): Told {
  const type = 'NamespaceFinalizersRemaining';
  if (finalizers.size === 0) {
    return {
      type,
      status: 'False',
      reason: 'ContentHasNoFinalizers',
      message: 'All content-preserving finalizers finished',
    };
  }
  const counts = sorted(finalizers).map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const message = `Some content in the namespace has finalizers remaining: ${counts.join(', ')}`;
  return { type, status: 'True', reason: 'SomeFinalizersRemain', message };
}

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
