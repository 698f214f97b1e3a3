import type {
  ClusterRoleBinding,
  V2HorizontalPodAutoscaler,
  Ingress,
  NetworkPolicy,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Role,
  RoleBinding,
} from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import { policyRows } from '../auth/rules.js';
import type { AnyMetadata } from '../server-api.js';
import { addAnnotations, addHead, addLabels, timeText } from './format.js';
import type { Lines } from './lines.js';

const head = (metadata: unknown): AnyMetadata => metadata as AnyMetadata;
const bracketed = (texts: readonly string[] | undefined): string => `[${(texts ?? []).join(' ')}]`;

/** Role and ClusterRole. */
export function describeRole(lines: Lines, { metadata, rules }: Role): void {
  lines.add(0, 'Name:', metadata.name);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'PolicyRule:');
  lines.add(1, 'Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs');
  lines.add(1, '---------', '-----------------', '--------------', '-----');
  for (const row of policyRows(rules ?? [])) lines.add(1, ...row);
}

/** RoleBinding and ClusterRoleBinding. */
export function describeBinding(lines: Lines, { metadata, roleRef, subjects }: RoleBinding | ClusterRoleBinding): void {
  lines.add(0, 'Name:', metadata.name);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Role:');
  lines.add(1, 'Kind:', roleRef.kind);
  lines.add(1, 'Name:', roleRef.name);
  lines.add(0, 'Subjects:');
  lines.add(1, 'Kind', 'Name', 'Namespace');
  lines.add(1, '----', '----', '---------');
  for (const { kind, name, namespace = '' } of subjects ?? []) lines.add(1, kind, name, namespace);
}

export function describeDisruptionBudget(lines: Lines, { metadata, spec, status }: PodDisruptionBudget): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  if (spec?.minAvailable !== undefined) lines.add(0, 'Min available:', String(spec.minAvailable));
  else if (spec?.maxUnavailable !== undefined) lines.add(0, 'Max unavailable:', String(spec.maxUnavailable));
  lines.add(0, 'Selector:', spec?.selector ? formatLabelSelector(spec.selector) : '<unset>');
  lines.add(0, 'Status:');
  lines.add(2, 'Allowed disruptions:', String(status?.disruptionsAllowed ?? 0));
  lines.add(2, 'Current:', String(status?.currentHealthy ?? 0));
  lines.add(2, 'Desired:', String(status?.desiredHealthy ?? 0));
  lines.add(2, 'Total:', String(status?.expectedPods ?? 0));
}

type Backend = NonNullable<NonNullable<Ingress['spec']>['defaultBackend']>;

/** `web:80 (10.244.0.5:8080)`; `endpoints` are those of the Service's port. */
function backendText({ service, resource }: Backend, endpoints: EndpointsOf): string {
  if (!service)
    return `APIGroup: ${resource?.apiGroup ?? ''}, Kind: ${resource?.kind ?? ''}, Name: ${resource?.name ?? ''}`;
  const port = String(service.port?.number || service.port?.name || '');
  return `${service.name}:${port} (${endpoints(service.name, port)})`;
}

/** Text for the addresses behind a Service's port. */
export type EndpointsOf = (service: string, port: string) => string;

export function describeIngress(lines: Lines, { metadata, spec, status }: Ingress, endpoints: EndpointsOf): void {
  lines.add(0, 'Name:', metadata.name);
  addLabels(lines, 'Labels:', metadata.labels);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
  lines.add(0, 'Address:', addresses.join(','));
  lines.add(0, 'Ingress Class:', spec?.ingressClassName ?? '<none>');
  lines.add(0, 'Default backend:', spec?.defaultBackend ? backendText(spec.defaultBackend, endpoints) : '<default>');
  if (spec?.tls?.length) {
    lines.add(0, 'TLS:');
    for (const { secretName, hosts } of spec.tls) {
      lines.add(
        1,
        secretName ? `${secretName} terminates ${hosts?.join(',') ?? ''}` : `SNI routes ${hosts?.join(',') ?? ''}`,
      );
    }
  }
  lines.add(0, 'Rules:');
  lines.add(1, 'Host', 'Path', 'Backends');
  lines.add(1, '----', '----', '--------');
  const rules = (spec?.rules ?? []).filter(({ http }) => http);
  for (const { host, http } of rules) {
    lines.add(1, host || '*', '');
    for (const { path, backend } of http?.paths ?? [])
      lines.add(2, '', `${path ?? ''} `, backendText(backend, endpoints));
  }
  if (rules.length === 0)
    lines.add(1, '*', '*', spec?.defaultBackend ? backendText(spec.defaultBackend, endpoints) : '<default>');
  addAnnotations(lines, 'Annotations:', metadata.annotations);
}

type Autoscaler = V2HorizontalPodAutoscaler;
type Metrics = NonNullable<NonNullable<Autoscaler['spec']>['metrics']>;

export function describeAutoscaler(lines: Lines, { metadata, spec, status }: Autoscaler): void {
  addHead(lines, head(metadata), { withNamespace: true });
  lines.add(0, 'CreationTimestamp:', timeText(metadata.creationTimestamp));
  const { kind, name } = spec?.scaleTargetRef ?? { kind: '', name: '' };
  lines.add(0, 'Reference:', `${kind}/${name}`);
  lines.add(0, 'Metrics:', '( current / target )');
  describeMetrics(lines, spec?.metrics ?? [], status?.currentMetrics ?? []);
  lines.add(0, 'Min replicas:', String(spec?.minReplicas ?? '<unset>'));
  lines.add(0, 'Max replicas:', String(spec?.maxReplicas ?? ''));
  lines.add(0, `${kind} pods:`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`);
  if (!status?.conditions?.length) return;
  lines.add(0, 'Conditions:');
  lines.add(1, 'Type', 'Status', 'Reason', 'Message');
  lines.add(1, '----', '------', '------', '-------');
  for (const { type, status: state, reason = '', message = '' } of status.conditions)
    lines.add(1, type, state, reason, message);
}

type Current = NonNullable<NonNullable<Autoscaler['status']>['currentMetrics']>;

function describeMetrics(lines: Lines, metrics: Metrics, current: Current): void {
  for (const [index, { type, resource, pods, object, external, containerResource }] of metrics.entries()) {
    const now = current[index];
    if (resource) {
      const [value, use] = [now?.resource?.current.averageValue, now?.resource?.current.averageUtilization];
      if (resource.target.averageValue !== undefined)
        lines.add(1, `resource ${resource.name} on pods:`, `${value ?? '<unknown>'} / ${resource.target.averageValue}`);
      else {
        const shown = use === undefined ? '<unknown>' : `${use}% (${value ?? ''})`;
        lines.add(
          1,
          `resource ${resource.name} on pods  (as a percentage of request):`,
          `${shown} / ${resource.target.averageUtilization ?? '<auto>'}${resource.target.averageUtilization === undefined ? '' : '%'}`,
        );
      }
    } else if (pods) {
      lines.add(
        1,
        `"${pods.metric.name}" on pods:`,
        `${now?.pods?.current.averageValue ?? '<unknown>'} / ${pods.target.averageValue ?? ''}`,
      );
    } else if (object) {
      const on = `"${object.metric.name}" on ${object.describedObject.kind}/${object.describedObject.name}`;
      const target =
        object.target.averageValue === undefined
          ? [`(target value):`, object.target.value]
          : ['(target average value):', object.target.averageValue];
      lines.add(
        1,
        `${on} ${target[0] ?? ''}`,
        `${now?.object?.current.value ?? now?.object?.current.averageValue ?? '<unknown>'} / ${target[1] ?? ''}`,
      );
    } else if (external) {
      const target =
        external.target.averageValue === undefined
          ? ['(target value):', external.target.value]
          : ['(target average value):', external.target.averageValue];
      lines.add(
        1,
        `"${external.metric.name}" ${target[0] ?? ''}`,
        `${now?.external?.current.value ?? now?.external?.current.averageValue ?? '<unknown>'} / ${target[1] ?? ''}`,
      );
    } else if (containerResource) {
      const { container, name, target } = containerResource;
      const use = now?.containerResource?.current.averageUtilization;
      lines.add(
        1,
        `resource ${name} of container "${container}" on pods  (as a percentage of request):`,
        `${use === undefined ? '<unknown>' : `${use}%`} / ${target.averageUtilization ?? '<auto>'}%`,
      );
    } else lines.add(1, `<unknown metric type "${type}">`);
  }
}

export function describePersistentVolume(
  lines: Lines,
  { metadata, spec, status }: PersistentVolume,
  describeSource: (lines: Lines) => void,
): void {
  lines.add(0, 'Name:', metadata.name);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Finalizers:', bracketed(metadata.finalizers));
  lines.add(0, 'StorageClass:', spec?.storageClassName ?? '');
  const isLeaving = metadata.deletionTimestamp !== undefined;
  lines.add(0, 'Status:', isLeaving ? `Terminating` : (status?.phase ?? ''));
  const claim = spec?.claimRef;
  lines.add(0, 'Claim:', claim ? `${claim.namespace ?? ''}/${claim.name ?? ''}` : '');
  lines.add(0, 'Reclaim Policy:', spec?.persistentVolumeReclaimPolicy ?? '');
  lines.add(0, 'Access Modes:', modesText(spec?.accessModes));
  lines.add(0, 'VolumeMode:', spec?.volumeMode ?? '');
  lines.add(0, 'Capacity:', spec?.capacity?.['storage'] ?? '');
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  if (terms.length === 0) lines.add(0, 'Node Affinity:', '<none>');
  else {
    lines.add(0, 'Node Affinity:');
    lines.add(1, 'Required Terms:');
    for (const [index, { matchExpressions = [] }] of terms.entries()) {
      const texts = matchExpressions.map(
        ({ key, operator, values }) => `${key} ${operator.toLowerCase()} [${(values ?? []).join(', ')}]`,
      );
      lines.addList(2, `Term ${index}:`, texts);
    }
  }
  lines.add(0, 'Message:', status?.message ?? '');
  lines.add(0, 'Source:');
  describeSource(lines);
}

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};
const modesText = (modes: readonly string[] | undefined): string =>
  ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']
    .filter((mode) => modes?.includes(mode))
    .map((mode) => shortModes[mode] ?? mode)
    .join(',');

/** `pods` are those that mount the claim. */
export function describeVolumeClaim(
  lines: Lines,
  { metadata, spec, status }: PersistentVolumeClaim,
  pods: readonly Pod[],
): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  lines.add(0, 'StorageClass:', spec?.storageClassName ?? '');
  lines.add(0, 'Status:', metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating');
  lines.add(0, 'Volume:', spec?.volumeName ?? '');
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Finalizers:', bracketed(metadata.finalizers));
  const isBound = (spec?.volumeName ?? '') !== '';
  lines.add(0, 'Capacity:', isBound ? (status?.capacity?.['storage'] ?? '') : '');
  lines.add(0, 'Access Modes:', isBound ? modesText(status?.accessModes) : '');
  lines.add(0, 'VolumeMode:', spec?.volumeMode ?? '');
  if (spec?.dataSource) {
    lines.add(0, 'DataSource:');
    if (spec.dataSource.apiGroup) lines.add(1, 'APIGroup:', spec.dataSource.apiGroup);
    lines.add(1, 'Kind:', spec.dataSource.kind);
    lines.add(1, 'Name:', spec.dataSource.name);
  }
  lines.addList(
    0,
    'Used By:',
    pods.map((pod) => pod.metadata.name),
  );
}

type Spec = NonNullable<NetworkPolicy['spec']>;

export function describeNetworkPolicy(lines: Lines, { metadata, spec }: NetworkPolicy): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  lines.add(0, 'Created on:', createdText(metadata.creationTimestamp));
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Spec:');
  const pods = spec?.podSelector;
  const isAll = !pods || Object.keys({ ...pods.matchLabels }).length + (pods.matchExpressions ?? []).length === 0;
  lines.add(
    1,
    `PodSelector:     ${isAll ? '<none> (Allowing the specific traffic to all pods in this namespace)' : formatLabelSelector(pods)}`,
  );
  const types = spec?.policyTypes ?? [];
  for (const direction of ['Ingress', 'Egress'] as const) {
    const word = direction.toLowerCase();
    if (!types.includes(direction)) {
      lines.add(1, `Not affecting ${word} traffic`);
      continue;
    }
    lines.add(1, `Allowing ${word} traffic:`);
    describeRules(lines, direction, spec);
  }
  lines.add(1, `Policy Types: ${types.join(', ')}`);
}

const createdText = (timestamp: string | undefined): string =>
  timestamp === undefined ? '<unset>' : timestamp.replace('T', ' ').replace(/(\.\d+)?Z$/, ' +0000 UTC');

function describeRules(lines: Lines, direction: 'Ingress' | 'Egress', spec: Spec | undefined): void {
  const rules =
    direction === 'Ingress'
      ? (spec?.ingress ?? []).map(({ ports, from }) => ({ ports, peers: from }))
      : (spec?.egress ?? []).map(({ ports, to }) => ({ ports, peers: to }));
  const word = direction === 'Ingress' ? 'From' : 'To';
  if (rules.length === 0) {
    lines.add(2, `<none> (Selected pods are isolated for ${direction.toLowerCase()} connectivity)`);
    return;
  }
  for (const [index, { ports = [], peers = [] }] of rules.entries()) {
    if (index > 0) lines.add(2, '----------');
    if (ports.length === 0) lines.add(2, 'To Port: <any> (traffic allowed to all ports)');
    for (const { port, protocol = 'TCP', endPort } of ports)
      lines.add(
        2,
        endPort === undefined
          ? `To Port: ${port ?? '<any>'}/${protocol}`
          : `To Port Range: ${port ?? ''}-${endPort}/${protocol}`,
      );
    if (peers.length === 0)
      lines.add(2, `${word}: <any> (traffic not restricted by ${direction === 'Ingress' ? 'source' : 'destination'})`);
    for (const { podSelector, namespaceSelector, ipBlock } of peers) {
      lines.add(2, `${word}:`);
      if (namespaceSelector) lines.add(3, `NamespaceSelector: ${formatLabelSelector(namespaceSelector)}`);
      if (podSelector) lines.add(3, `PodSelector: ${formatLabelSelector(podSelector)}`);
      if (!ipBlock) continue;
      lines.add(3, 'IPBlock:');
      lines.add(4, `CIDR: ${ipBlock.cidr}`);
      lines.add(4, `Except: ${(ipBlock.except ?? []).join(', ')}`);
    }
  }
}
