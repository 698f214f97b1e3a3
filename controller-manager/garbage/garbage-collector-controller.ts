import { setMaxListeners } from 'node:events';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { InformerFactory } from '../../shared/cache/informer-factory.js';
import { DiscoveryReader, preferredResources } from '../../shared/client/discovery.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import {
  newController,
  periodic,
  together,
  type ControllerContext,
  type ControllerDefinition,
  type Runnable,
} from '../context.js';
import { GarbageCollector } from './garbage-collector.js';
import { graphNode } from './owner-graph.js';

const discoveryPeriodMs = 30_000;
/** Events come and go too often, own nothing and are owned by nothing. */
const ignored: ReadonlySet<string> = new Set(['/v1/events', 'events.k8s.io/v1/events']);
/** Serves nothing but objects of other groups under another name: seen twice, their graph would know them by either. */
const otherNames = 'extensions';

/** Deletes objects whose owners are gone, and carries out foreground deletion and orphaning. */
export const garbageCollectorController: ControllerDefinition = {
  name: 'garbage-collector-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('generic-garbage-collector');
    const recorder = context.recorder('generic-garbage-collector', 'garbage-collector-controller');
    const kinds = new Map<string, Resource<KubernetesObject>>();
    // Of resources that no other controller watches only the metadata is asked for, and of that what counts here is kept.
    const { clock, random, log } = context;
    const own = new InformerFactory(client, { clock, random, log, transform: ownersOnly, isMetadataOnly: true });
    const watched = new Map<string, SharedInformer<KubernetesObject>>();
    const collector = new GarbageCollector({
      client,
      recorder,
      findResource: (apiVersion, kind) => kinds.get(`${groupOf(apiVersion)}/${kind}`),
    });
    let becomeReady: () => void = () => undefined;
    let isReady = false;
    const ready = new Promise<void>((resolve) => {
      becomeReady = resolve;
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
    const discovery = new DiscoveryReader(client);
    const refresh = periodic(context, 'garbage-collector-discovery', discoveryPeriodMs, async (signal) => {
      const served = await discovery.read(signal);
      const resources = preferredResources(served).filter(({ resource }) => !ignored.has(keyOf(resource)));
      for (const { resource, verbs } of resources) {
        kinds.set(`${resource.group}/${resource.kind}`, resource);
        const isCollectable =
          resource.group !== otherNames &&
          verbs.includes('list') &&
          verbs.includes('watch') &&
          verbs.includes('delete');
        if (isCollectable && !watched.has(keyOf(resource))) watched.set(keyOf(resource), watch(resource));
      }
      // Where a server did not answer, nothing is known to be gone.
      const isGone = (resource: Resource): boolean =>
        served.failures.size === 0 && !resources.some((found) => keyOf(found.resource) === keyOf(resource));
      for (const [key, { resource }] of watched) {
        if (!isGone(resource)) continue;
        watched.delete(key);
        kinds.delete(`${resource.group}/${resource.kind}`);
        own.drop(resource);
        for (const uid of collector.graph.deleteAll(resource)) controller.queue.add(uid);
      }
      if (isReady) return;
      // One that cannot be listed now may be gone at the next look.
      const tooLate = new AbortController();
      const cancel = clock.schedule(discoveryPeriodMs, () =>
        tooLate.abort(new Error('not all resources were listed in time')),
      );
      const either = AbortSignal.any([signal, tooLate.signal]);
      setMaxListeners(0, either);
      await Promise.all([...watched.values()].map((informer) => informer.waitForSync(either))).finally(cancel);
      isReady = true;
      becomeReady();
    });
    return together(controller, refresh, own);
  },
};

/** With the version: what is served under another one is watched anew. */
const keyOf = ({ group, version, resource }: Resource): string => `${group}/${version}/${resource}`;

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

function ownersOnly<T extends KubernetesObject>(object: T): T {
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
