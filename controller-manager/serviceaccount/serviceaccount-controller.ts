import { namespaces, serviceaccounts } from '../../shared/api/generated/resources.js';
import { isAlreadyExists } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { isTerminatingNamespace } from '../namespace-state.js';

/** Keeps the ServiceAccount `default` in every namespace: no pod is admitted without one. */
export const serviceAccountController: ControllerDefinition = {
  name: 'serviceaccount-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('service-account-controller');
    const namespaceInformer = context.informers.informer(namespaces);
    const accounts = context.informers.informer(serviceaccounts);
    const controller = newController(context, {
      name: 'serviceaccount',
      informers: [namespaceInformer, accounts],
      workers: 2,
      reconcile: async (key, signal) => {
        const namespace = namespaceInformer.lister.get(key);
        if (namespace?.status?.phase === 'Terminating' || !namespace || namespace.metadata.deletionTimestamp) return;
        if (accounts.lister.get(`${key}/default`)) return;
        try {
          await client.create(serviceaccounts, { metadata: { name: 'default', namespace: key } }, { signal });
        } catch (error) {
          if (!isAlreadyExists(error) && !isTerminatingNamespace(error)) throw error;
        }
      },
    });
    namespaceInformer.addHandler({
      onAdd: (namespace) => controller.queue.add(namespace.metadata.name),
      onUpdate: (_, namespace) => controller.queue.add(namespace.metadata.name),
    });
    accounts.addHandler({
      onDelete: ({ metadata }) => {
        if (metadata.name === 'default') controller.queue.add(metadata.namespace ?? '');
      },
    });
    return controller;
  },
};
