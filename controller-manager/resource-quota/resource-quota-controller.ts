import * as resources from '../../shared/api/generated/resources.js';
import { objectKey, type KubernetesObject } from '../../shared/api/object.js';
import { collectionOf } from '../../shared/api/quota-usage.js';
import type { Resource } from '../../shared/api/resource.js';
import { InformerFactory } from '../../shared/cache/informer-factory.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import { DiscoveryReader, preferredResources } from '../../shared/client/discovery.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import { newController, periodic, together } from '../context.js';
import type { ControllerContext, ControllerDefinition, Runnable } from '../context.js';
import { collectionKey, planQuotaStatus, type ListObjects } from './plan-quota.js';

type Collection = Pick<Resource, 'group' | 'resource'>;
type Objects = SharedInformer<KubernetesObject>;

/** Pods that should have ended stop counting although nothing happens to them. */
const recountPeriodMs = 60_000;
/** Between looks at a quota that counts what has not been listed yet. */
const unsyncedMs = 250;
const { pods, services, persistentvolumeclaims, resourcequotas } = resources;
/** What is counted by more than its number. */
const counted: readonly Resource[] = [pods, services, persistentvolumeclaims];

/** Writes into the status of every quota how much of it is used. Only what some quota counts is watched. */
export const resourceQuotaController: ControllerDefinition = {
  name: 'resourcequota-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('resourcequota-controller');
    const { clock, random, log } = context;
    const quotas = context.informers.informer(resourcequotas);
    const own = new InformerFactory(client, { clock, random, log, transform: metadataOnly, isMetadataOnly: true });
    const watched = new Map<string, Objects>();
    const discovery = new DiscoveryReader(client);
    const controller = newController(context, {
      name: 'resourcequota',
      informers: [quotas],
      workers: 5,
      reconcile: async (key, signal) => {
        const quota = quotas.lister.get(key);
        if (!quota || quota.metadata.deletionTimestamp) return {};
        const namespace = quota.metadata.namespace ?? '';
        const informers = await informersFor(Object.keys(quota.spec?.hard ?? {}), signal);
        const list: ListObjects = (collection) => {
          const informer = informers.get(collectionKey(collection));
          return informer?.hasSynced ? informer.lister.listNamespace(namespace) : undefined;
        };
        // What cannot be listed now must not keep the rest from being told.
        const outcome = [...informers.values()].every(({ hasSynced }) => hasSynced)
          ? {}
          : { requeueAfterMs: unsyncedMs };
        const status = planQuotaStatus(quota, list, clock.now());
        if (!status) return outcome;
        try {
          await client.updateStatus(resourcequotas, { ...quota, status }, { signal });
        } catch (error) {
          if (!isNotFound(error) && !isConflict(error)) throw error;
        }
        return outcome;
      },
    });
    const recount = (namespace: string | undefined): void => {
      for (const quota of quotas.lister.listNamespace(namespace ?? '')) controller.queue.add(objectKey(quota));
    };
    const watch = (resource: Resource<KubernetesObject>): Objects => {
      const isShared = counted.some((one) => collectionKey(one) === collectionKey(resource));
      const informer = isShared
        ? context.informers.informer(resource)
        : (context.informers.find(resource) ?? own.informer(resource));
      informer.addHandler({
        onAdd: ({ metadata }) => recount(metadata.namespace),
        onUpdate: (_, { metadata }) => {
          if (isShared) recount(metadata.namespace);
        },
        onDelete: ({ metadata }) => recount(metadata.namespace),
      });
      return informer;
    };
    const informersFor = async (names: readonly string[], signal: AbortSignal): Promise<Map<string, Objects>> => {
      const found = new Map<string, Objects>();
      for (const name of names) {
        const collection = collectionOf(name);
        if (!collection || found.has(collectionKey(collection))) continue;
        const informer = watched.get(collectionKey(collection)) ?? (await start(collection, signal));
        if (informer) found.set(collectionKey(collection), informer);
      }
      return found;
    };
    /** Undefined for what is not served. */
    const start = async (collection: Collection, signal: AbortSignal): Promise<Objects | undefined> => {
      const key = collectionKey(collection);
      const known = counted.find((one) => collectionKey(one) === key);
      const resource = known ?? (await served(collection, signal));
      if (!resource) return undefined;
      const informer = watched.get(key) ?? watch(resource as Resource<KubernetesObject>);
      watched.set(key, informer);
      return informer;
    };
    const served = async (collection: Collection, signal: AbortSignal): Promise<Resource | undefined> => {
      const all = preferredResources(await discovery.read(signal));
      const isIt = ({ resource }: (typeof all)[number]): boolean =>
        collectionKey(resource) === collectionKey(collection);
      return all.find((one) => isIt(one) && one.verbs.includes('watch') && one.verbs.includes('list'))?.resource;
    };
    quotas.addHandler({
      onAdd: (quota) => controller.queue.add(objectKey(quota)),
      onUpdate: (_, quota) => controller.queue.add(objectKey(quota)),
    });
    const again = periodic(context, 'resourcequota-recount', recountPeriodMs, async (signal) => {
      await quotas.waitForSync(signal);
      for (const quota of quotas.lister.list()) controller.queue.add(objectKey(quota));
    });
    return together(controller, again, own);
  },
};

/** Where only the number counts. */
function metadataOnly<T extends KubernetesObject>(object: T): T {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, namespace, uid, resourceVersion },
  } as unknown as T;
}
