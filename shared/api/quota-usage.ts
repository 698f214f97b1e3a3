import type {
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
  Service,
} from './generated/types.js';
import type { KubernetesObject } from './object.js';
import { isPodTerminal, qosClass } from './pod.js';
import { parseQuantity, type Quantity } from './quantity.js';
import type { Resource } from './resource.js';

/** Amounts by the names that quotas use: `pods`, `requests.cpu`, `count/jobs.batch`. */
export type Usage = ReadonlyMap<string, Quantity>;

type Collection = Pick<Resource, 'group' | 'resource'>;

/** Core resources that have a name of their own in quotas, besides `count/NAME`. */
const named = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
]);
const perClass = '.storageclass.storage.k8s.io/';
const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';
/** What containers must state where a quota counts it. */
const stated = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

const units = (count: number): Quantity => ({ nanos: BigInt(count) * 1_000_000_000n, format: 'DecimalSI' });

/** The collection whose objects a quota's name counts; undefined where the name counts nothing. */
export function collectionOf(name: string): Collection | undefined {
  if (name.startsWith('count/')) {
    const [resource = '', ...group] = name.slice('count/'.length).split('.');
    return resource === '' ? undefined : { group: group.join('.'), resource };
  }
  if (named.has(name)) return { group: '', resource: name };
  if (name.startsWith('services.')) return { group: '', resource: 'services' };
  if (name === 'requests.storage' || name.includes(perClass)) return { group: '', resource: 'persistentvolumeclaims' };
  const isCompute = /^(cpu|memory|ephemeral-storage|hugepages-.+|requests\..+|limits\..+)$/.test(name);
  return isCompute ? { group: '', resource: 'pods' } : undefined;
}

/** What one object counts for. A pod that has ended, or should have ended by `nowMs`, counts for no resources. */
export function usageOf({ group, resource }: Collection, object: KubernetesObject, nowMs: number): Usage {
  const usage = new Map<string, Quantity>();
  usage.set(`count/${resource}${group === '' ? '' : `.${group}`}`, units(1));
  if (group !== '') return usage;
  if (resource === 'pods') addPod(usage, object as unknown as Pod, nowMs);
  else if (named.has(resource)) usage.set(resource, units(1));
  if (resource === 'services') addService(usage, object as unknown as Service);
  if (resource === 'persistentvolumeclaims') addClaim(usage, object as unknown as PersistentVolumeClaim);
  return usage;
}

function addPod(usage: Map<string, Quantity>, pod: Pod, nowMs: number): void {
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = pod.metadata;
  const isOverdue =
    deletionTimestamp !== undefined &&
    grace !== undefined &&
    nowMs > Date.parse(String(deletionTimestamp)) + grace * 1000;
  if (isPodTerminal(pod) || isOverdue) return;
  usage.set('pods', units(1));
  for (const [name, quantity] of podAmounts(pod.spec, 'requests')) {
    const isNative = ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('hugepages-');
    if (isNative) usage.set(name, quantity);
    usage.set(`requests.${name}`, quantity);
  }
  for (const [name, quantity] of podAmounts(pod.spec, 'limits')) usage.set(`limits.${name}`, quantity);
}

/** As the scheduler adds up: containers together, or the most that init containers need on their way; and overhead. */
export function podAmounts(spec: PodSpec, part: 'requests' | 'limits'): Map<string, Quantity> {
  const total = new Map<string, Quantity>();
  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const { resources } of spec.containers ?? []) add(total, resources?.[part]);
  for (const { resources, restartPolicy } of spec.initContainers ?? []) {
    const own = new Map(sidecars);
    add(own, resources?.[part]);
    raise(peak, own);
    if (restartPolicy !== 'Always') continue;
    add(sidecars, resources?.[part]);
    add(total, resources?.[part]);
  }
  raise(total, peak);
  for (const [name, text] of Object.entries(spec.resources?.[part] ?? {})) total.set(name, parseQuantity(text));
  for (const [name, text] of Object.entries(spec.overhead ?? {})) {
    if (part === 'requests' || total.has(name)) add(total, { [name]: text });
  }
  return total;
}

function add(to: Map<string, Quantity>, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const [name, text] of Object.entries(amounts ?? {})) to.set(name, sum(to.get(name), parseQuantity(text)));
}

function raise(to: Map<string, Quantity>, floor: ReadonlyMap<string, Quantity>): void {
  for (const [name, quantity] of floor) {
    const known = to.get(name);
    if (!known || known.nanos < quantity.nanos) to.set(name, quantity);
  }
}

const sum = (a: Quantity | undefined, b: Quantity): Quantity =>
  a ? { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format } : b;

function addService(usage: Map<string, Quantity>, { spec }: Service): void {
  const ports = spec?.ports ?? [];
  const isBalancer = spec?.type === 'LoadBalancer';
  const takesAll = spec?.type === 'NodePort' || (isBalancer && spec.allocateLoadBalancerNodePorts !== false);
  const chosen = ports.filter(({ nodePort }) => nodePort).length;
  usage.set('services.nodeports', units(takesAll ? ports.length : isBalancer ? chosen : 0));
  usage.set('services.loadbalancers', units(isBalancer ? 1 : 0));
}

function addClaim(usage: Map<string, Quantity>, { metadata, spec }: PersistentVolumeClaim): void {
  const storageClass = metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? '';
  if (storageClass !== '') usage.set(`${storageClass}${perClass}persistentvolumeclaims`, units(1));
  const requested = spec?.resources?.requests?.['storage'];
  if (requested === undefined) return;
  const storage = parseQuantity(requested);
  usage.set('requests.storage', storage);
  if (storageClass !== '') usage.set(`${storageClass}${perClass}requests.storage`, storage);
}

/** What the scopes of a quota ask of an object. */
export const scopesOf = ({ spec }: Pick<ResourceQuota, 'spec'>): readonly ScopedResourceSelectorRequirement[] => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
];

/** Whether the scopes of a quota include an object. */
export const quotaIncludes = (
  quota: Pick<ResourceQuota, 'spec'>,
  collection: Collection,
  object: KubernetesObject,
): boolean => scopesOf(quota).every((one) => isInScope(one, collection, object));

/** Whether one scope includes an object; scopes are about pods and claims, and no others are in any. */
export function isInScope(
  one: ScopedResourceSelectorRequirement,
  { group, resource }: Collection,
  object: KubernetesObject,
): boolean {
  if (group !== '') return false;
  if (resource === 'pods') return podIsInScope(one, object as unknown as Pod);
  if (resource !== 'persistentvolumeclaims') return false;
  const { spec: claim } = object as unknown as PersistentVolumeClaim;
  return one.scopeName === 'VolumeAttributesClass' && holds(one, claim?.volumeAttributesClassName);
}

function podIsInScope(one: ScopedResourceSelectorRequirement, { spec }: Pod): boolean {
  switch (one.scopeName) {
    case 'Terminating':
      return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case 'NotTerminating':
      return (spec.activeDeadlineSeconds ?? -1) < 0;
    case 'BestEffort':
      return qosClass(spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClass(spec) !== 'BestEffort';
    case 'PriorityClass':
      return holds(one, spec.priorityClassName);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(spec);
    default:
      return false;
  }
}

function holds({ operator, values = [] }: ScopedResourceSelectorRequirement, value: string | undefined): boolean {
  const isSet = value !== undefined && value !== '';
  switch (operator) {
    case 'Exists':
      return isSet;
    case 'DoesNotExist':
      return !isSet;
    case 'In':
      return isSet && values.includes(value);
    default:
      return !isSet || !values.includes(value);
  }
}

function crossesNamespaces({ affinity }: PodSpec): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((given) =>
    [
      ...(given?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(given?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => one.podAffinityTerm),
    ].some(({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector !== undefined),
  );
}

/** What a pod leaves open that the quota counts: `limits.cpu for: a,b; requests.memory for: a`; '' where nothing. */
export function unstatedAmounts(hard: Readonly<Record<string, string>>, { spec }: Pod): string {
  if (spec.resources?.requests || spec.resources?.limits) return '';
  const wanted = Object.keys(hard).filter((name) => stated.has(name));
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const texts = wanted.sort().flatMap((name) => {
    const part = name.startsWith('limits.') ? 'limits' : 'requests';
    const key = name.replace(/^(limits|requests)\./, '');
    const open = containers.filter(({ resources }) => resources?.[part]?.[key] === undefined);
    return open.length === 0 ? [] : [`${name} for: ${[...new Set(open.map((one) => one.name))].sort().join(',')}`];
  });
  return texts.join('; ');
}
