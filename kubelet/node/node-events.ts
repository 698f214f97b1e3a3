import type { NodeStatus, ObjectReference } from '../../shared/api/generated/types.js';

export interface NodeEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Reasons by condition: what is told when it becomes True, and when it becomes False. */
const reasons: Readonly<Record<string, readonly [string, string]>> = {
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
  Ready: ['NodeReady', 'NodeNotReady'],
};

/** Events on a node have its name for a uid, by which clients tell the kubelet's from those of controllers. */
export const nodeReference = (name: string): ObjectReference => ({ apiVersion: 'v1', kind: 'Node', name, uid: name });

export const statusEvent = (node: string, reason: string): NodeEvent => ({
  type: 'Normal',
  reason,
  message: `Node ${node} status is now: ${reason}`,
});

/** What is told of a node when its status changes, as the original does: not that a new node is not ready yet. Pure. */
export function nodeEvents(node: string, before: NodeStatus | undefined, after: NodeStatus): NodeEvent[] {
  const told = (after.conditions ?? []).flatMap(({ type, status }) => {
    const previous = before?.conditions?.find((condition) => condition.type === type);
    const isNews = previous === undefined ? type !== 'Ready' : previous.status !== status;
    const [whenTrue, whenFalse] = reasons[type] ?? [];
    const reason = status === 'True' ? whenTrue : whenFalse;
    return isNews && reason !== undefined ? [statusEvent(node, reason)] : [];
  });
  const [bootId, previousBootId] = [after.nodeInfo?.bootID ?? '', before?.nodeInfo?.bootID ?? ''];
  if (previousBootId === '' || previousBootId === bootId) return told;
  const message = `Node ${node} has been rebooted, boot id: ${bootId}`;
  return [{ type: 'Warning', reason: 'Rebooted', message }, ...told];
}
