import { getCondition } from '../../shared/api/condition.js';
import type { Node, NodeCondition, Taint } from '../../shared/api/generated/types.js';
import {
  TAINT_DISK_PRESSURE,
  TAINT_MEMORY_PRESSURE,
  TAINT_NETWORK_UNAVAILABLE,
  TAINT_NOT_READY,
  TAINT_PID_PRESSURE,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
} from '../../shared/api/well-known.js';

/** The last sign of life of a node, by our own clock. */
export interface Heartbeat {
  /** The Lease's renewTime and the Ready condition's heartbeat, as last seen: a change is a sign of life. */
  readonly sign: string;
  readonly atMs: number;
}

/** Updates the heartbeat of a node; one seen for the first time gets the whole grace period. */
export function nextHeartbeat(
  previous: Heartbeat | undefined,
  node: Node,
  renewTime: string | undefined,
  nowMs: number,
): Heartbeat {
  const ready = getCondition(node.status?.conditions, 'Ready');
  // What we wrote ourselves (Unknown) carries the kubelet's last heartbeat on, so it is no sign of life.
  const sign = `${renewTime ?? ''}|${ready?.lastHeartbeatTime ?? ''}`;
  return previous?.sign === sign ? previous : { sign, atMs: nowMs };
}

const watchedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that fell silent; undefined when they say so already. */
export function silentConditions(node: Node, nowIso: string): NodeCondition[] | undefined {
  const present = node.status?.conditions ?? [];
  let changed = false;
  const kept = present.map((condition): NodeCondition => {
    if (!watchedConditions.includes(condition.type) || condition.status === 'Unknown') return condition;
    changed = true;
    const message = 'Kubelet stopped posting node status.';
    return { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: nowIso };
  });
  const missing = watchedConditions
    .filter((type) => !getCondition(present, type))
    .map((type): NodeCondition => {
      const message = 'Kubelet never posted node status.';
      const lastHeartbeatTime = node.metadata.creationTimestamp;
      return {
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message,
        lastHeartbeatTime,
        lastTransitionTime: nowIso,
      };
    });
  return changed || missing.length > 0 ? [...kept, ...missing] : undefined;
}

export const readyStatus = (node: Node): string => getCondition(node.status?.conditions, 'Ready')?.status ?? 'Unknown';

const pressureTaints: Readonly<Record<string, string>> = {
  MemoryPressure: TAINT_MEMORY_PRESSURE,
  DiskPressure: TAINT_DISK_PRESSURE,
  PIDPressure: TAINT_PID_PRESSURE,
  NetworkUnavailable: TAINT_NETWORK_UNAVAILABLE,
};
const ourKeys: ReadonlySet<string> = new Set([
  ...Object.values(pressureTaints),
  TAINT_NOT_READY,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
]);

/**
 * The taints that a node's conditions ask for; undefined when it has exactly those. Taints of others stay. `mayEvict`
 * false leaves NoExecute as it is but for a node that recovered: in a large outage nobody is evicted.
 */
export function plannedTaints(node: Node, mayEvict: boolean, nowIso: string): Taint[] | undefined {
  const present = node.spec?.taints ?? [];
  const ready = readyStatus(node);
  const outage = ready === 'True' ? undefined : ready === 'False' ? TAINT_NOT_READY : TAINT_UNREACHABLE;
  const wanted: Taint[] = [];
  if (outage) wanted.push({ key: outage, effect: 'NoSchedule' });
  for (const [type, key] of Object.entries(pressureTaints)) {
    if (getCondition(node.status?.conditions, type)?.status === 'True') wanted.push({ key, effect: 'NoSchedule' });
  }
  if (node.spec?.unschedulable) wanted.push({ key: TAINT_UNSCHEDULABLE, effect: 'NoSchedule' });
  const evicting = present.filter(
    ({ key, effect }) => effect === 'NoExecute' && (key === TAINT_NOT_READY || key === TAINT_UNREACHABLE),
  );
  if (outage && (mayEvict || evicting.length > 0)) wanted.push({ key: outage, effect: 'NoExecute' });
  const isOurs = ({ key, effect }: Taint): boolean =>
    ourKeys.has(key) &&
    (effect === 'NoSchedule' || (effect === 'NoExecute' && (key === TAINT_NOT_READY || key === TAINT_UNREACHABLE)));
  const same = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const isComplete =
    wanted.every((taint) => present.some((other) => same(taint, other))) &&
    present.filter(isOurs).every((taint) => wanted.some((other) => same(taint, other)));
  if (isComplete) return undefined;
  const made = wanted.map((taint) => present.find((other) => same(taint, other)) ?? { ...taint, timeAdded: nowIso });
  return [...present.filter((taint) => !isOurs(taint)), ...made];
}

/**
 * Whether nodes that are not ready may lose their pods: not while all are not ready, and in a cluster of up to 50 nodes
 * not while more than two and at least 55 % are. Then it is more likely that we are cut off than that they are down.
 */
export function mayEvict(readyCount: number, notReadyCount: number): boolean {
  const total = readyCount + notReadyCount;
  if (readyCount === 0) return false;
  return !(total <= 50 && notReadyCount > 2 && notReadyCount / total >= 0.55);
}
