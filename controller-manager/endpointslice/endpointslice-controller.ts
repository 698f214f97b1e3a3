import { endpointslices, nodes, pods, services } from '../../shared/api/generated/resources.js';
import type { EndpointSlice } from '../../shared/api/generated/types.js';
import { LABEL_ENDPOINTSLICE_MANAGED_BY, LABEL_SERVICE_NAME, LABEL_ZONE } from '../../shared/api/well-known.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { isTerminatingNamespace } from '../namespace-state.js';
import { OwnWrites } from '../own-writes.js';
import { podsOfService, watchServicesAndPods } from '../service-pods.js';
import { planSlices, sliceManager, type SlicesPlan } from './plan-slices.js';
import { hasEndpoints } from './pod-endpoints.js';

/** Changes of many pods of one Service within this time become one write. */
const batchMs = 20;

/** `namespace/service` of a slice that we manage. */
function serviceKey({ metadata }: EndpointSlice): string[] {
  const { labels = {}, namespace } = metadata;
  const name = labels[LABEL_SERVICE_NAME];
  return name && labels[LABEL_ENDPOINTSLICE_MANAGED_BY] === sliceManager ? [`${namespace}/${name}`] : [];
}

/** Keeps EndpointSlices of the pods behind each Service. */
export const endpointSliceController: ControllerDefinition = {
  name: 'endpointslice-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('endpointslice-controller');
    const serviceInformer = context.informers.informer(services);
    const podInformer = context.informers.informer(pods);
    const nodeInformer = context.informers.informer(nodes);
    const slices = context.informers.informer(endpointslices, { indexes: { service: serviceKey } });
    const writes = new OwnWrites(slices, context.clock);

    const execute = async (key: string, plan: SlicesPlan, signal: AbortSignal): Promise<void> => {
      for (const slice of plan.create) writes.created(key, await client.create(endpointslices, slice, { signal }));
      for (const slice of plan.update) await client.update(endpointslices, slice, { signal });
      for (const slice of plan.remove) {
        const { name, namespace, uid } = slice.metadata;
        await client
          .delete(endpointslices, name, namespace, { preconditions: { uid }, signal })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        writes.deleted(key, slice);
      }
    };

    const controller = newController(context, {
      name: 'endpointslice',
      informers: [serviceInformer, podInformer, nodeInformer, slices],
      reconcile: async (key, signal) => {
        const service = serviceInformer.lister.get(key);
        // Slices of a Service that is gone belong to the garbage collector, by their owner reference.
        if (!service || service.metadata.deletionTimestamp) return writes.forget(key);
        if (!hasEndpoints(service)) return;
        // A slice that the cache does not show would be made a second time under another name.
        if (writes.isPending(key)) return { requeueAfterMs: 50 };
        const zoneOf = (name: string | undefined): string | undefined =>
          name === undefined ? undefined : nodeInformer.lister.get(name)?.metadata.labels?.[LABEL_ZONE];
        const plan = planSlices({
          service,
          pods: podsOfService(podInformer.lister, service),
          slices: slices.lister.byIndex('service', key),
          zoneOf,
        });
        try {
          await execute(key, plan, signal);
        } catch (error) {
          if (!isTerminatingNamespace(error)) throw error;
        }
      },
    });
    watchServicesAndPods(serviceInformer, podInformer, (key) => controller.queue.addAfter(key, batchMs));
    const enqueue = (slice: EndpointSlice): void => {
      for (const key of serviceKey(slice)) controller.queue.add(key);
    };
    slices.addHandler({
      onUpdate: (previous, slice) => {
        // Also what somebody took away from us.
        enqueue(previous);
        enqueue(slice);
      },
      onDelete: enqueue,
    });
    return controller;
  },
};
