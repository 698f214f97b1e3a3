import { configmaps, namespaces } from '../../shared/api/generated/resources.js';
import { ROOT_CA_CONFIG_MAP } from '../../shared/api/well-known.js';
import { isAlreadyExists } from '../../shared/errors/status-error.js';
import {
  newController,
  together,
  type ControllerContext,
  type ControllerDefinition,
  type Runnable,
} from '../context.js';
import { isTerminatingNamespace } from '../namespace-state.js';

const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Keeps the ConfigMap kube-root-ca.crt in every namespace; pods mount it beside their token. */
export const rootCaPublisher: ControllerDefinition = {
  name: 'root-ca-certificate-publisher-controller',
  build: (context: ControllerContext): Runnable => {
    const { rootCa } = context.options;
    if (rootCa === undefined) return together();
    const client = context.client('root-ca-cert-publisher');
    const namespaceInformer = context.informers.informer(namespaces);
    const fieldSelector = `metadata.name=${ROOT_CA_CONFIG_MAP}`;
    const maps = context.informers.informer(configmaps, { fieldSelector });
    const annotations = { 'kubernetes.io/description': description };
    const data = { 'ca.crt': rootCa };
    const controller = newController(context, {
      name: 'root-ca-publisher',
      informers: [namespaceInformer, maps],
      workers: 2,
      reconcile: async (key, signal) => {
        const namespace = namespaceInformer.lister.get(key);
        if (!namespace || namespace.metadata.deletionTimestamp) return;
        const current = maps.lister.get(`${key}/${ROOT_CA_CONFIG_MAP}`);
        if (current?.data?.['ca.crt'] === rootCa && Object.keys(current.data).length === 1) return;
        const metadata = { name: ROOT_CA_CONFIG_MAP, namespace: key, annotations };
        try {
          if (!current) await client.create(configmaps, { metadata, data }, { signal });
          else await client.update(configmaps, { ...current, data }, { signal });
        } catch (error) {
          if (!isAlreadyExists(error) && !isTerminatingNamespace(error)) throw error;
        }
      },
    });
    namespaceInformer.addHandler({
      onAdd: (namespace) => controller.queue.add(namespace.metadata.name),
      onUpdate: (_, namespace) => controller.queue.add(namespace.metadata.name),
    });
    const enqueue = (map: { metadata: { namespace?: string } }): void =>
      controller.queue.add(map.metadata.namespace ?? '');
    maps.addHandler({ onUpdate: (_, map) => enqueue(map), onDelete: enqueue });
    return controller;
  },
};
