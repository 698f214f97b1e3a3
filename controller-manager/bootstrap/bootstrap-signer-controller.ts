import { configmaps } from '../../shared/api/generated/resources.js';
import { NAMESPACE_PUBLIC } from '../../shared/api/well-known.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { bootstrapTokens } from './bootstrap-token.js';
import { signedData } from './plan-signatures.js';

const name = 'cluster-info';
const key = `${NAMESPACE_PUBLIC}/${name}`;

/** Signs kube-public/cluster-info with each bootstrap token, so that a joining host can trust it. */
export const bootstrapSignerController: ControllerDefinition = {
  name: 'bootstrap-signer-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('bootstrap-signer');
    const tokens = bootstrapTokens(context);
    const maps = context.informers.informer(configmaps, {
      namespace: NAMESPACE_PUBLIC,
      fieldSelector: `metadata.name=${name}`,
    });
    const controller = newController(context, {
      name: 'bootstrapsigner',
      informers: [tokens, maps],
      workers: 1,
      reconcile: async (_, signal) => {
        const map = maps.lister.get(key);
        const data = map && signedData(map.data ?? {}, tokens.lister.list(), context.clock.now());
        if (!map || !data) return;
        const { resourceVersion } = map.metadata;
        const patch = { metadata: { resourceVersion }, data };
        try {
          await client.patch(configmaps, name, NAMESPACE_PUBLIC, 'merge', patch, { signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
    });
    const wake = (): void => controller.queue.add(key);
    tokens.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
    maps.addHandler({ onAdd: wake, onUpdate: wake });
    return controller;
  },
};
