import type { Node, Pod } from '../../shared/api/generated/types.js';
import { amount, hostPorts, isPodTerminal, podRequests, type HostPort } from '../../shared/api/pod.js';
import { appArmorRefusal } from '../container/app-armor.js';
import type { PodResize } from '../pod/resize.js';
import type { PodFailure } from '../status/pod-status.js';
import { matchesNode } from './node-affinity.js';
import type { Machine } from './machine.js';
import type { SysctlAllowlist } from './sysctl-allowlist.js';

/** What of the node's own set-up decides which pods it takes. */
export interface NodeRules {
  readonly sysctls: SysctlAllowlist;
  readonly machine: Pick<Machine, 'hasAppArmor'>;
}

/**
 * Whether the node takes a pod that was bound to it; the reason when it does not, in the original's words. Schedulers can
 * be wrong, or be several, or have been passed by with spec.nodeName. A pod that already runs is never refused.
 */
export function admitPod(
  pod: Pod,
  admitted: readonly Pod[],
  node: Node | undefined,
  rules: NodeRules,
): PodFailure | undefined {
  if (hasRun(pod)) return undefined;
  const sysctls = rules.sysctls.refusal(pod);
  if (sysctls !== undefined) return rejection('SysctlForbidden', sysctls);
  const predicates = node && predicatesRefusal(pod, admitted, node);
  if (predicates) return predicates;
  const appArmor = appArmorRefusal(pod, rules.machine.hasAppArmor);
  return appArmor === undefined ? undefined : rejection('AppArmor', appArmor);
}

function predicatesRefusal(pod: Pod, admitted: readonly Pod[], node: Node): PodFailure | undefined {
  const others = admitted.filter((other) => other.metadata.uid !== pod.metadata.uid && !isPodTerminal(other));
  return (
    resourcesRefusal(pod, others, node.status?.allocatable ?? {}) ??
    (portsConflict(pod, others)
      ? predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports")
      : undefined) ??
    (matchesNode(pod.spec, node)
      ? undefined
      : predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector"))
  );
}

const hasRun = (pod: Pod): boolean =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].some(
    (status) => status.containerID,
  );

const rejection = (reason: string, message: string): PodFailure => ({ reason, message, isRejection: true });

const predicate = (name: string, why: string): PodFailure => rejection(name, `Predicate ${name} failed: ${why}`);

function resourcesRefusal(
  pod: Pod,
  others: readonly Pod[],
  allocatable: Readonly<Record<string, string>>,
): PodFailure | undefined {
  const maxPods = Number(allocatable['pods'] ?? Infinity);
  if (others.length + 1 > maxPods) return outOf('pods', 1, others.length, maxPods);
  for (const [name, requested] of podRequests(pod.spec)) {
    if (requested === 0) continue;
    const used = others.reduce((sum, other) => sum + (podRequests(other.spec).get(name) ?? 0), 0);
    const capacity = amount(name, allocatable[name] ?? '0');
    if (used + requested > capacity) return outOf(name, requested, used, capacity);
  }
  return undefined;
}

/** Why the pod cannot have what it asks for by now: never on this node, or not while others use it. */
export function resizeRefusal(pod: Pod, admitted: readonly Pod[], node: Node | undefined): PodResize | undefined {
  const allocatable = node?.status?.allocatable ?? {};
  const others = admitted.filter((other) => other.metadata.uid !== pod.metadata.uid && !isPodTerminal(other));
  for (const [name, requested] of podRequests(pod.spec)) {
    if (allocatable[name] === undefined) continue;
    const capacity = amount(name, allocatable[name]);
    const used = others.reduce((sum, other) => sum + (podRequests(other.spec).get(name) ?? 0), 0);
    if (used + requested <= capacity) continue;
    const type = 'PodResizePending';
    if (requested <= capacity) {
      const numbers = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
      return { type, reason: 'Deferred', message: `Node didn't have enough resource: ${name}, ${numbers}` };
    }
    const numbers = `requested: ${requested}, capacity: ${capacity}`;
    return { type, reason: 'Infeasible', message: `Node didn't have enough capacity: ${name}, ${numbers}` };
  }
  return undefined;
}

function outOf(name: string, requested: number, used: number, capacity: number): PodFailure {
  const numbers = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return rejection(`OutOf${name}`, `Node didn't have enough resource: ${name}, ${numbers}`);
}

function portsConflict(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPorts(pod.spec);
  if (wanted.length === 0) return false;
  const taken = others.flatMap((other) => hostPorts(other.spec));
  return wanted.some((port) => taken.some((other) => clash(port, other)));
}

function clash(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0';
  return a.port === b.port && a.protocol === b.protocol && sameAddress;
}
