import { namespaces } from '../../shared/api/generated/resources.js';
import type { Namespace } from '../../shared/api/generated/types.js';
import { FINALIZER_KUBERNETES } from '../../shared/api/well-known.js';
import type { Client } from '../../shared/client/client.js';
import { DiscoveryReader, preferredResources, type DiscoveredResource } from '../../shared/client/discovery.js';
import { liveObject } from '../../shared/client/live-object.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { isSameStatus } from '../status-equality.js';
import { namespaceConditions, type ContentReport } from './plan-conditions.js';

/** While content is left, the namespace is looked at again after so long. */
const retryMs = 1_000;
const slowRetryMs = 5_000;

/** Empties a namespace that is being deleted, then lets it go. */
export const namespaceController: ControllerDefinition = {
  name: 'namespace-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('namespace-controller');
    const discovery = new DiscoveryReader(client);
    const informer = context.informers.informer(namespaces);
    const passes = new Map<string, number>();
    const controller = newController(context, {
      name: 'namespace',
      informers: [informer],
      workers: 5,
      reconcile: async (key, signal) => {
        const namespace = informer.lister.get(key);
        if (!namespace?.metadata.deletionTimestamp) {
          passes.delete(key);
          return;
        }
        if (!namespace.spec?.finalizers?.includes(FINALIZER_KUBERNETES)) return;
        // The cache may still show the one before: what is in a namespace of the same name that lives must not go.
        const live = await liveObject(client, namespaces, key, undefined, signal);
        if (live?.metadata.uid !== namespace.metadata.uid) return;
        const report = await deleteContent(client, discovery, key, signal);
        await writeStatus(client, namespace, report, timestamp(context.clock.now()), signal);
        const isEmpty = report.remaining.size === 0 && report.deletionFailures.length === 0;
        if (!isEmpty || report.discoveryFailures.size > 0) {
          const pass = (passes.get(key) ?? 0) + 1;
          passes.set(key, pass);
          // Pods take their grace period: look often at first, then now and then.
          return { requeueAfterMs: pass < 30 ? retryMs : slowRetryMs };
        }
        passes.delete(key);
        await finalize(client, namespace, signal);
      },
    });
    informer.addHandler({
      onAdd: ({ metadata }) => controller.queue.add(metadata.name),
      onUpdate: (_, { metadata }) => controller.queue.add(metadata.name),
      onDelete: ({ metadata }) => controller.queue.add(metadata.name),
    });
    return controller;
  },
};

async function deleteContent(
  client: Client,
  discovery: DiscoveryReader,
  namespace: string,
  signal: AbortSignal,
): Promise<ContentReport> {
  const served = await discovery.read(signal);
  const report = {
    discoveryFailures: served.failures,
    deletionFailures: [] as string[],
    remaining: new Map<string, number>(),
    finalizers: new Map<string, number>(),
  };
  const deletable = preferredResources(served).filter(
    ({ resource, verbs }) => resource.namespaced && verbs.includes('list') && verbs.includes('delete'),
  );
  const isPods = ({ resource: { group, resource } }: DiscoveredResource): boolean =>
    group === '' && resource === 'pods';
  // Pods go first: none may run on without the policies, secrets and volumes that it was started with.
  for (const found of [...deletable.filter(isPods), ...deletable.filter((one) => !isPods(one))]) {
    const { group, resource } = found.resource;
    if (report.remaining.has(remainingPods)) break;
    try {
      await deleteAll(client, found, namespace, signal);
      const { items } = await client.list(found.resource, { namespace, signal });
      if (items.length === 0) continue;
      report.remaining.set(group === '' ? `${resource}.` : `${resource}.${group}`, items.length);
      for (const finalizer of items.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
        report.finalizers.set(finalizer, (report.finalizers.get(finalizer) ?? 0) + 1);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      // A resource that went away since discovery has no objects any more.
      if (!isNotFound(error)) report.deletionFailures.push((error as Error).message);
    }
  }
  return report;
}

/** How a report names pods that are left. */
const remainingPods = 'pods.';

async function deleteAll(
  client: Client,
  { resource, verbs }: DiscoveredResource,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const { items } = await client.list(resource, { namespace, signal, limit: 500 });
  const alive = items.filter(({ metadata }) => !metadata.deletionTimestamp);
  if (alive.length === 0) return;
  const options = { propagationPolicy: 'Background' as const, signal };
  if (verbs.includes('deletecollection')) return client.deleteCollection(resource, { ...options, namespace });
  for (const { metadata } of alive) {
    await client.delete(resource, metadata.name, namespace, options).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

async function writeStatus(
  client: Client,
  namespace: Namespace,
  report: ContentReport,
  nowIso: string,
  signal: AbortSignal,
): Promise<void> {
  const conditions = namespaceConditions(namespace.status?.conditions, report, nowIso);
  const status = { ...namespace.status, phase: 'Terminating', conditions };
  if (isSameStatus(namespace.status, status)) return;
  await client.updateStatus(namespaces, { ...namespace, status }, { signal });
}

/** Takes our finalizer off; with the last one the server removes the namespace. */
async function finalize(client: Client, { metadata: { name, uid } }: Namespace, signal: AbortSignal): Promise<void> {
  try {
    const latest = await client.get(namespaces, name, undefined, { signal });
    if (latest.metadata.uid !== uid) return;
    const finalizers = (latest.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER_KUBERNETES);
    const finalized = { ...latest, spec: { ...latest.spec, finalizers } };
    await client.update(namespaces, finalized, { subresource: 'finalize', signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
