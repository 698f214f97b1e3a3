import type {
  ConfigMap,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  V2HorizontalPodAutoscaler,
  Ingress,
  Job,
  Lease,
  LimitRange,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
} from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { formatLabelSelector, formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import { ANNOTATION_DEPLOYMENT_REVISION, LABEL_SERVICE_NAME } from '../../shared/api/well-known.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import type { CommandContext } from '../context.js';
import { listObjects, type FoundObject } from '../found-objects.js';
import type { AnyMetadata, AnyObject } from '../server-api.js';
import { describeCronJob, describeDaemonSet, describeJob, describeStatefulSet } from './batch-kinds.js';
import {
  describeEndpointSlice,
  describeLimitRange,
  describeNamespaceLimits,
  describePriorityClass,
  describeResourceQuota,
  describeServiceAccount,
  describeStorageClass,
} from './cluster-kinds.js';
import { describeConfigMap, describeSecret } from './config.js';
import { describeEvents, eventsOf } from './events.js';
import { addAnnotations, addLabels } from './format.js';
import { describeGeneric } from './generic.js';
import { Lines } from './lines.js';
import { describeNode } from './node.js';
import { describePod } from './pod.js';
import {
  describeAutoscaler,
  describeBinding,
  describeDisruptionBudget,
  describeIngress,
  describeNetworkPolicy,
  describePersistentVolume,
  describeRole,
  describeVolumeClaim,
  type EndpointsOf,
} from './policy-kinds.js';
import { describeService, endpointsText } from './service.js';
import { describeVolumeSource } from './volume.js';
import { describeDeployment, describeReplicaSet, describeReplicationController } from './workload.js';

/** Kinds whose description ends without events. */
const withoutEvents = new Set([
  'Secret',
  'Namespace',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ResourceQuota',
  'LimitRange',
  'NetworkPolicy',
]);

type Describer = (lines: Lines, object: AnyObject) => void;
const describer =
  <T>(describe: (lines: Lines, object: T) => void): Describer =>
  (lines, object) =>
    describe(lines, object as unknown as T);

/** Kinds that are described from the object alone. */
const describers: Readonly<Record<string, Describer>> = {
  ConfigMap: describer<ConfigMap>(describeConfigMap),
  Secret: describer<Secret>(describeSecret),
  ServiceAccount: describer<ServiceAccount>(describeServiceAccount),
  ResourceQuota: describer<ResourceQuota>(describeResourceQuota),
  LimitRange: describer<LimitRange>(describeLimitRange),
  PersistentVolume: describer<PersistentVolume>((lines, volume) =>
    describePersistentVolume(lines, volume, (each) => describeVolumeSource(each, volume.spec ?? {})),
  ),
  'Job.batch': describer<Job>(describeJob),
  'CronJob.batch': describer<CronJob>(describeCronJob),
  'PriorityClass.scheduling.k8s.io': describer<PriorityClass>(describePriorityClass),
  'StorageClass.storage.k8s.io': describer<StorageClass>(describeStorageClass),
  'EndpointSlice.discovery.k8s.io': describer<EndpointSlice>(describeEndpointSlice),
  'Role.rbac.authorization.k8s.io': describer<Role>(describeRole),
  'ClusterRole.rbac.authorization.k8s.io': describer<Role>(describeRole),
  'RoleBinding.rbac.authorization.k8s.io': describer<RoleBinding>(describeBinding),
  'ClusterRoleBinding.rbac.authorization.k8s.io': describer<RoleBinding>(describeBinding),
  'PodDisruptionBudget.policy': describer<PodDisruptionBudget>(describeDisruptionBudget),
  'HorizontalPodAutoscaler.autoscaling': describer<V2HorizontalPodAutoscaler>(describeAutoscaler),
  'NetworkPolicy.networking.k8s.io': describer<NetworkPolicy>(describeNetworkPolicy),
};

/** The text of `describe` for one object. */
export async function describeObject(
  context: CommandContext,
  found: FoundObject,
  showEvents: boolean,
): Promise<string> {
  const lines = new Lines();
  const nowMs = context.clock.now();
  await describeKind(context, found, { lines, nowMs });
  if (showEvents && !withoutEvents.has(found.type.kind)) describeEvents(lines, await eventsOf(context, found), nowMs);
  return lines.text();
}

interface Page {
  readonly lines: Lines;
  readonly nowMs: number;
}

async function describeKind(context: CommandContext, found: FoundObject, { lines, nowMs }: Page): Promise<void> {
  const { type, object } = found;
  const as = <T>(): T => object as unknown as T;
  switch (groupKind(type.group, type.kind)) {
    case 'Pod':
      return describePod(lines, as<Pod>(), nowMs);
    case 'Node':
      return describeNode(lines, as<Node>(), { ...(await nodeSurroundings(context, object.metadata)), nowMs });
    case 'Service':
      return describeService(lines, as<Service>(), await slicesOf(context, found.namespace, found.name));
    case 'Deployment.apps':
      return describeDeployment(lines, as<Deployment>(), await replicaSetsOf(context, found));
    case 'ReplicaSet.apps':
      return describeReplicaSet(lines, as<ReplicaSet>(), await podsOf(context, found));
    case 'ReplicationController': {
      const { selector } = as<ReplicationController>().spec;
      const pods = await podsOf(context, found, formatSelector(selectorOfMap(selector)));
      return describeReplicationController(lines, as<ReplicationController>(), pods);
    }
    case 'DaemonSet.apps':
      return describeDaemonSet(lines, as<DaemonSet>(), await podsOf(context, found));
    case 'StatefulSet.apps':
      return describeStatefulSet(lines, as<StatefulSet>(), await podsOf(context, found));
    case 'Namespace':
      return describeNamespace(context, lines, as<Namespace>());
    case 'PersistentVolumeClaim':
      return describeVolumeClaim(lines, as<PersistentVolumeClaim>(), await podsUsing(context, found));
    case 'Ingress.networking.k8s.io':
      return describeIngress(lines, as<Ingress>(), await backendsOf(context, found));
    default: {
      const describer = describers[groupKind(type.group, type.kind)];
      if (describer) return describer(lines, object);
      return describeGeneric(lines, object, type.namespaced);
    }
  }
}

const groupKind = (group: string, kind: string): string => (group === '' ? kind : `${kind}.${group}`);

async function describeNamespace(
  context: CommandContext,
  lines: Lines,
  { metadata, status }: Namespace,
): Promise<void> {
  lines.add(0, 'Name:', metadata.name);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Status:', status?.phase ?? '');
  const [quotas, ranges] = await Promise.all([
    allOf<ResourceQuota>(context, 'ResourceQuota', metadata.name),
    allOf<LimitRange>(context, 'LimitRange', metadata.name),
  ]);
  describeNamespaceLimits(lines, quotas, ranges);
}

/** All objects of a core kind in a namespace; undefined where the server has no such kind. */
async function allOf<T>(
  context: CommandContext,
  kind: string,
  namespace: string | undefined,
): Promise<T[] | undefined> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.forGroupKind('', kind);
  if (!type) return undefined;
  return (await listObjects(api, type, { namespace })).map(({ object }) => object as unknown as T);
}

async function podsUsing(context: CommandContext, { namespace, name }: FoundObject): Promise<Pod[]> {
  const pods = (await allOf<Pod>(context, 'Pod', namespace)) ?? [];
  return pods.filter(({ spec }) => spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name));
}

/** Addresses behind the Services that an Ingress names. */
async function backendsOf(context: CommandContext, { namespace, object }: FoundObject): Promise<EndpointsOf> {
  const names = new Set(
    [...JSON.stringify(object).matchAll(/"service":\{"name":"([^"]+)"/g)].map(([, name = '']) => name),
  );
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const texts = new Map<string, string>();
  for (const name of names) {
    try {
      const service = await api.json<Service>({ path: resourcePath(mapper.resolve('services'), namespace, name) });
      const slices = await slicesOf(context, namespace, name);
      for (const port of service.spec.ports ?? []) {
        const text = endpointsText(port.name, slices);
        texts.set(`${name}:${port.port}`, text);
        if (port.name) texts.set(`${name}:${port.name}`, text);
      }
    } catch (error) {
      if (!isNotFound(error) || !(error instanceof Error)) throw error;
      texts.set(name, `<error: ${error.message}>`);
    }
  }
  return (service, port) => texts.get(service) ?? texts.get(`${service}:${port}`) ?? '';
}

async function nodeSurroundings(
  context: CommandContext,
  { name = '' }: AnyMetadata,
): Promise<{ lease: Lease | undefined; pods: Pod[] }> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const path = resourcePath(mapper.resolve('leases.coordination.k8s.io'), 'kube-node-lease', name);
  const fieldSelector = `spec.nodeName=${name},status.phase!=Succeeded,status.phase!=Failed`;
  const [lease, pods] = await Promise.all([
    api.json<Lease>({ path }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    }),
    listObjects(api, mapper.resolve('pods'), { namespace: undefined, fieldSelector }),
  ]);
  return { lease, pods: pods.map(({ object }) => object as unknown as Pod) };
}

async function related<T>(
  context: CommandContext,
  found: Pick<FoundObject, 'namespace'>,
  resource: string,
  labelSelector: string,
): Promise<T[]> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const list = await listObjects(api, mapper.resolve(resource), { namespace: found.namespace, labelSelector });
  return list.map(({ object }) => object as unknown as T);
}

const slicesOf = (context: CommandContext, namespace: string | undefined, service: string): Promise<EndpointSlice[]> =>
  related(context, { namespace }, 'endpointslices.discovery.k8s.io', `${LABEL_SERVICE_NAME}=${service}`);

/** The pods of a workload; `selector` where it is not a LabelSelector. */
async function podsOf(context: CommandContext, found: FoundObject, selector?: string): Promise<Pod[]> {
  const { spec, metadata } = found.object as unknown as ReplicaSet;
  const pods = await related<Pod>(context, found, 'pods', selector ?? formatLabelSelector(spec?.selector));
  return pods.filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
}

async function replicaSetsOf(context: CommandContext, found: FoundObject): Promise<ReplicaSet[]> {
  const { spec, metadata } = found.object as unknown as Deployment;
  const sets = await related<ReplicaSet>(context, found, 'replicasets.apps', formatLabelSelector(spec.selector));
  const revision = (set: ReplicaSet): number => Number(set.metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION] ?? 0);
  const own = sets.filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
  const newest = Math.max(0, ...own.map(revision));
  // Old ones count only while they still have pods.
  return own
    .filter((set) => revision(set) === newest || (set.spec?.replicas ?? 0) > 0)
    .sort((a, b) => revision(a) - revision(b));
}
