import { endpoints, pods, services } from '../../shared/api/generated/resources.js';
import { objectKey, splitKey } from '../../shared/api/object.js';
import { ANNOTATION_ENDPOINTS_OVER_CAPACITY } from '../../shared/api/well-known.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { hasEndpoints } from '../endpointslice/pod-endpoints.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { isTerminatingNamespace } from '../namespace-state.js';
import { podsOfService, watchServicesAndPods } from '../service-pods.js';
import { isUpToDate, planEndpoints } from './plan-endpoints.js';

/** Later than EndpointSlices: what still reads Endpoints is not in a hurry. */
const batchMs = 100;

/** Keeps the Endpoints object of each Service, for clients from before EndpointSlices. */
export const endpointsController: ControllerDefinition = {
  name: 'endpoints-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('endpoint-controller');
    const serviceInformer = context.informers.informer(services);
    const podInformer = context.informers.informer(pods);
    const endpointsInformer = context.informers.informer(endpoints);
    const controller = newController(context, {
      name: 'endpoint',
      informers: [serviceInformer, podInformer, endpointsInformer],
      reconcile: async (key, signal) => {
        const service = serviceInformer.lister.get(key);
        const { namespace, name } = splitKey(key);
        const current = endpointsInformer.lister.get(key);
        if (!service) {
          // Endpoints have no owner reference: they go with the Service of their name.
          if (current) {
            await client
              .delete(endpoints, name, namespace, { preconditions: { uid: current.metadata.uid }, signal })
              .catch((error: unknown) => {
                if (!isNotFound(error)) throw error;
              });
          }
          return;
        }
        if (!hasEndpoints(service)) return;
        const desired = planEndpoints(service, podsOfService(podInformer.lister, service));
        const { labels, subsets } = desired;
        try {
          if (!current) {
            const metadata = { name, ...(namespace ? { namespace } : {}), labels, annotations: desired.annotations };
            await client.create(endpoints, { metadata, subsets }, { signal });
          } else if (!isUpToDate(current, desired)) {
            const { [ANNOTATION_ENDPOINTS_OVER_CAPACITY]: _, ...kept } = current.metadata.annotations ?? {};
            const metadata = { ...current.metadata, labels, annotations: { ...kept, ...desired.annotations } };
            await client.update(endpoints, { ...current, metadata, subsets }, { signal });
          }
        } catch (error) {
          if (!isTerminatingNamespace(error)) throw error;
        }
      },
    });
    watchServicesAndPods(serviceInformer, podInformer, (key) => controller.queue.addAfter(key, batchMs));
    // Left behind by a Service that went while nobody looked.
    endpointsInformer.addHandler({
      onAdd: (object, initial) => {
        if (initial && object.metadata.labels?.['endpoints.kubernetes.io/managed-by'])
          controller.queue.add(objectKey(object));
      },
      onDelete: (object) => controller.queue.add(objectKey(object)),
    });
    return controller;
  },
};
