import type { Lease, Node, Pod } from '../../shared/api/generated/types.js';
import { humanAge } from '../../shared/api/duration.js';
import { addQuantities, compareQuantities, quantityMilliValue } from '../../shared/api/quantity.js';
import { LABEL_NODE_ROLE, LABEL_NODE_ROLE_PREFIX } from '../../shared/api/well-known.js';
import { isSidecar } from '../../shared/api/pod.js';
import { addAnnotations, addLabels, sortedEntries, timeText } from './format.js';
import type { Lines } from './lines.js';

export interface NodeSurroundings {
  readonly lease: Lease | undefined;
  /** Pods of the node that have not ended. */
  readonly pods: readonly Pod[];
  readonly nowMs: number;
}

export function describeNode(lines: Lines, node: Node, around: NodeSurroundings): void {
  const { metadata, spec } = node;
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Roles:', rolesOf(metadata.labels ?? {}).join(',') || '<none>');
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'CreationTimestamp:', timeText(metadata.creationTimestamp));
  const taints = (spec?.taints ?? []).map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`);
  lines.addList(0, 'Taints:', taints);
  lines.add(0, 'Unschedulable:', String(spec?.unschedulable ?? false));
  describeLease(lines, node.metadata.name, around.lease);
  describeStatus(lines, node);
  if (spec?.podCIDR) lines.add(0, 'PodCIDR:', spec.podCIDR);
  if (spec?.podCIDRs?.length) lines.add(0, 'PodCIDRs:', spec.podCIDRs.join(','));
  if (spec?.providerID) lines.add(0, 'ProviderID:', spec.providerID);
  describePods(lines, node, around);
}

function rolesOf(labels: Readonly<Record<string, string>>): string[] {
  const roles = sortedEntries(labels).flatMap(([key, value]) => {
    if (key.startsWith(LABEL_NODE_ROLE_PREFIX)) return [key.slice(LABEL_NODE_ROLE_PREFIX.length)];
    return key === LABEL_NODE_ROLE && value !== '' ? [value] : [];
  });
  return [...new Set(roles)].sort();
}

function describeLease(lines: Lines, name: string, lease: Lease | undefined): void {
  if (!lease) return lines.add(0, 'Lease:', `Failed to get lease: leases.coordination.k8s.io "${name}" not found`);
  lines.add(0, 'Lease:');
  lines.add(1, 'HolderIdentity:', lease.spec?.holderIdentity ?? '<unset>');
  lines.add(1, 'AcquireTime:', timeText(lease.spec?.acquireTime));
  lines.add(1, 'RenewTime:', timeText(lease.spec?.renewTime));
}

function describeStatus(lines: Lines, { status }: Node): void {
  lines.add(0, 'Conditions:');
  lines.add(1, 'Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message');
  lines.add(1, '----', '------', '-----------------', '------------------', '------', '-------');
  for (const {
    type,
    status: state,
    lastHeartbeatTime,
    lastTransitionTime,
    reason = '',
    message = '',
  } of status?.conditions ?? []) {
    lines.add(
      1,
      `${type} `,
      `${state} `,
      `${timeText(lastHeartbeatTime)} `,
      `${timeText(lastTransitionTime)} `,
      `${reason} `,
      `${message} `.trimEnd(),
    );
  }
  lines.add(0, 'Addresses:');
  for (const { type, address } of status?.addresses ?? []) lines.add(1, `${type}:`, address);
  for (const [title, amounts] of [
    ['Capacity', status?.capacity],
    ['Allocatable', status?.allocatable],
  ] as const) {
    lines.add(0, `${title}:`);
    for (const [name, quantity] of sortedEntries(amounts)) lines.add(1, `${name}:`, quantity);
  }
  const info = status?.nodeInfo;
  lines.add(0, 'System Info:');
  lines.add(1, 'Machine ID:', info?.machineID ?? '');
  lines.add(1, 'System UUID:', info?.systemUUID ?? '');
  lines.add(1, 'Boot ID:', info?.bootID ?? '');
  lines.add(1, 'Kernel Version:', info?.kernelVersion ?? '');
  lines.add(1, 'OS Image:', info?.osImage ?? '');
  lines.add(1, 'Operating System:', info?.operatingSystem ?? '');
  lines.add(1, 'Architecture:', info?.architecture ?? '');
  lines.add(1, 'Container Runtime Version:', info?.containerRuntimeVersion ?? '');
  lines.add(1, 'Kubelet Version:', info?.kubeletVersion ?? '');
}

type Amounts = Readonly<Record<string, string>>;

function describePods(lines: Lines, { status }: Node, { pods, nowMs }: NodeSurroundings): void {
  const allocatable = status?.allocatable ?? status?.capacity ?? {};
  lines.add(0, 'Non-terminated Pods:', `(${pods.length} in total)`);
  lines.add(1, 'Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age');
  lines.add(1, '---------', '----', '', '------------', '----------', '---------------', '-------------', '---');
  const totals: { requests: Amounts; limits: Amounts } = { requests: {}, limits: {} };
  for (const pod of pods) {
    const [requests, limits] = [podAmounts(pod, 'requests'), podAmounts(pod, 'limits')];
    totals.requests = sum(totals.requests, requests);
    totals.limits = sum(totals.limits, limits);
    const cell = (amounts: Amounts, name: string): string => withShare(amounts[name] ?? '0', allocatable[name]);
    const cells = [cell(requests, 'cpu'), cell(limits, 'cpu'), cell(requests, 'memory'), cell(limits, 'memory')];
    const age = humanAge(pod.metadata.creationTimestamp, nowMs);
    lines.add(1, pod.metadata.namespace ?? '', pod.metadata.name, '', ...cells, age);
  }
  lines.add(0, 'Allocated resources:');
  lines.add(1, '(Total limits may be over 100 percent, i.e., overcommitted.)');
  lines.add(1, 'Resource', 'Requests', 'Limits');
  lines.add(1, '--------', '--------', '------');
  const standard = ['cpu', 'memory', 'ephemeral-storage'];
  const others = Object.keys(allocatable)
    .filter((name) => !standard.includes(name) && name !== 'pods')
    .sort();
  for (const name of [...standard, ...others]) {
    const text = (amounts: Amounts): string =>
      others.includes(name) && !name.startsWith('hugepages-')
        ? (amounts[name] ?? '0')
        : withShare(amounts[name] ?? '0', allocatable[name]);
    lines.add(1, name, text(totals.requests), text(totals.limits));
  }
}

function withShare(amount: string, total: string | undefined): string {
  const whole = total === undefined ? 0 : quantityMilliValue(total);
  const share = whole === 0 ? 0 : Math.trunc((quantityMilliValue(amount) / whole) * 100);
  return `${amount} (${share}%)`;
}

/** What a pod asks for: its containers together, or one init container when that asks for more, and the overhead. */
function podAmounts({ spec }: Pod, which: 'requests' | 'limits'): Amounts {
  const of = (container: { resources?: { requests?: Amounts; limits?: Amounts } }): Amounts =>
    container.resources?.[which] ?? {};
  const init = spec.initContainers ?? [];
  let amounts = [...spec.containers, ...init.filter(isSidecar)].map(of).reduce(sum, {});
  for (const container of init.filter((each) => !isSidecar(each))) amounts = largest(amounts, of(container));
  return spec.overhead && (which === 'requests' || Object.keys(amounts).length > 0)
    ? sum(amounts, spec.overhead)
    : amounts;
}

function sum(a: Amounts, b: Amounts): Amounts {
  const total: Record<string, string> = { ...a };
  for (const [name, quantity] of Object.entries(b)) {
    const before = total[name];
    total[name] = before === undefined ? quantity : addQuantities(before, quantity);
  }
  return total;
}

function largest(a: Amounts, b: Amounts): Amounts {
  const most: Record<string, string> = { ...a };
  for (const [name, quantity] of Object.entries(b)) {
    const before = most[name];
    if (before === undefined || compareQuantities(before, quantity) < 0) most[name] = quantity;
  }
  return most;
}
