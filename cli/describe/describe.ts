import type {
  ConfigMap,
  Deployment,
  EndpointSlice,
  Lease,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  Secret,
  Service,
} from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import { ANNOTATION_DEPLOYMENT_REVISION, LABEL_SERVICE_NAME } from '../../shared/api/well-known.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import type { CommandContext } from '../context.js';
import { listObjects, type FoundObject } from '../found-objects.js';
import type { AnyMetadata } from '../server-api.js';
import { describeConfigMap, describeSecret } from './config.js';
import { describeEvents, eventsOf } from './events.js';
import { addAnnotations, addLabels } from './format.js';
import { describeGeneric } from './generic.js';
import { Lines } from './lines.js';
import { describeNode } from './node.js';
import { describePod } from './pod.js';
import { describeService } from './service.js';
import { describeDeployment, describeReplicaSet } from './workload.js';

/** Kinds whose description ends without events. */
const withoutEvents = new Set(['Secret', 'Namespace']);

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
  const known = type.group === '' || type.group === 'apps' ? type.kind : '';
  const as = <T>(): T => object as unknown as T;
  switch (known) {
    case 'Pod':
      return describePod(lines, as<Pod>(), nowMs);
    case 'Node':
      return describeNode(lines, as<Node>(), { ...(await nodeSurroundings(context, object.metadata)), nowMs });
    case 'Service':
      return describeService(lines, as<Service>(), await slicesOf(context, found));
    case 'Deployment':
      return describeDeployment(lines, as<Deployment>(), await replicaSetsOf(context, found));
    case 'ReplicaSet':
      return describeReplicaSet(lines, as<ReplicaSet>(), await podsOf(context, found));
    case 'ConfigMap':
      return describeConfigMap(lines, as<ConfigMap>());
    case 'Secret':
      return describeSecret(lines, as<Secret>());
    case 'Namespace':
      return describeNamespace(lines, as<Namespace>());
    default:
      return describeGeneric(lines, object, type.namespaced);
  }
}

function describeNamespace(lines: Lines, { metadata, status }: Namespace): void {
  lines.add(0, 'Name:', metadata.name);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Status:', status?.phase ?? '');
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
  found: FoundObject,
  resource: string,
  labelSelector: string,
): Promise<T[]> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const list = await listObjects(api, mapper.resolve(resource), { namespace: found.namespace, labelSelector });
  return list.map(({ object }) => object as unknown as T);
}

const slicesOf = (context: CommandContext, found: FoundObject): Promise<EndpointSlice[]> =>
  related(context, found, 'endpointslices.discovery.k8s.io', `${LABEL_SERVICE_NAME}=${found.name}`);

async function podsOf(context: CommandContext, found: FoundObject): Promise<Pod[]> {
  const { spec, metadata } = found.object as unknown as ReplicaSet;
  const pods = await related<Pod>(context, found, 'pods', formatLabelSelector(spec?.selector));
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
