import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { InformerFactory } from '../../shared/cache/informer-factory.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import {
  newController,
  periodic,
  together,
  type ControllerContext,
  type ControllerDefinition,
  type Runnable,
} from '../context.js';
import { discover } from '../discovery.js';
import { GarbageCollector } from './garbage-collector.js';
import { graphNode } from './owner-graph.js';

const discoveryPeriodMs = 30_000;
/** Events come and go too often, own nothing and are owned by nothing. */
const ignored: ReadonlySet<string> = new Set(['/events', 'events.k8s.io/events']);

/** Deletes objects whose owners are gone, and carries out foreground deletion and orphaning. */
export const garbageCollectorController: ControllerDefinition = {
  name: 'garbage-collector-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('generic-garbage-collector');
    const recorder = context.recorder('generic-garbage-collector', 'garbage-collector-controller');
    const kinds = new Map<string, Resource<KubernetesObject>>();
    // Of resources that no other controller watches only the metadata is kept.
    const { clock, random, log } = context;
    const own = new InformerFactory(client, { clock, random, log, transform: metadataOnly });
    const watched = new Map<string, SharedInformer<KubernetesObject>>();
    const collector = new GarbageCollector({
      client,
      recorder,
      findResource: (apiVersion, kind) => kinds.get(`${groupOf(apiVersion)}/${kind}`),
    });
    let isReady: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const controller = newController(context, {
      name: 'garbagecollector',
      workers: 10,
      // Before everything was seen once, an owner that is not in the graph means nothing.
      informers: [{ waitForSync: (signal) => abortable(ready, signal) }],
      reconcile: async (uid, signal) => {
        for (const next of await collector.reconcile(uid, signal)) controller.queue.add(next);
      },
    });
    const watch = (resource: Resource<KubernetesObject>): SharedInformer<KubernetesObject> => {
      const informer = context.informers.find(resource) ?? own.informer(resource);
      const enqueue = (uids: readonly string[]): void => uids.forEach((uid) => controller.queue.add(uid));
      informer.addHandler({
        onAdd: (object) => enqueue(collector.graph.set(graphNode(resource, object))),
        onUpdate: (_, object) => enqueue(collector.graph.set(graphNode(resource, object))),
        onDelete: (object) => enqueue(collector.graph.delete(object.metadata.uid)),
      });
      return informer;
    };
    const refresh = periodic(context, 'garbage-collector-discovery', discoveryPeriodMs, async (signal) => {
      const { resources } = await discover(client, signal);
      for (const { resource, verbs } of resources) {
        const key = `${resource.group}/${resource.resource}`;
        kinds.set(`${resource.group}/${resource.kind}`, resource);
        const isCollectable = verbs.has('list') && verbs.has('watch') && verbs.has('delete');
        if (isCollectable && !watched.has(key) && !ignored.has(key)) watched.set(key, watch(resource));
      }
      await Promise.all([...watched.values()].map((informer) => informer.waitForSync(signal)));
      isReady();
    });
    return together(controller, refresh, own);
  },
};

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

function metadataOnly<T extends KubernetesObject>(object: T): T {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = object.metadata;
  const metadata = { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp };
  return { apiVersion: object.apiVersion, kind: object.kind, metadata } as unknown as T;
}

function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
