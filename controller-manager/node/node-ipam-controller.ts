import { nodes } from '../../shared/api/generated/resources.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { formatCidr, nextFreeCidr, parseCidr, type Cidr } from './plan-cidr.js';

/** Gives each node its part of the pod addresses. What is taken is read from the nodes: nothing else is remembered. */
export const nodeIpamController: ControllerDefinition = {
  name: 'node-ipam-controller',
  build: (context: ControllerContext): Runnable => {
    const { clusterCidr, nodeCidrMaskSize } = context.options;
    const cluster = parseCidr(clusterCidr);
    if (nodeCidrMaskSize < cluster.bits || nodeCidrMaskSize > 32 || nodeCidrMaskSize - cluster.bits > 16) {
      throw new Error(`--node-cidr-mask-size ${nodeCidrMaskSize} does not fit --cluster-cidr ${clusterCidr}`);
    }
    const client = context.client('node-controller');
    const recorder = context.recorder('node-controller', 'cidrAllocator');
    const informer = context.informers.informer(nodes);
    /** Given out, and not shown by the cache yet; by node. Another node of the same name gets one of its own. */
    const fresh = new Map<string, { readonly uid: string | undefined; readonly cidr: Cidr }>();

    const taken = (): Cidr[] => {
      const shown = informer.lister.list().flatMap(({ metadata, spec }) => {
        if (!spec?.podCIDR) return [];
        fresh.delete(metadata.name);
        return (spec.podCIDRs ?? [spec.podCIDR]).filter((cidr) => !cidr.includes(':')).map(parseCidr);
      });
      return [...shown, ...[...fresh.values()].map(({ cidr }) => cidr)];
    };

    const controller = newController(context, {
      name: 'node-ipam',
      informers: [informer],
      workers: 1, // two at once could choose the same range
      reconcile: async (key, signal) => {
        const node = informer.lister.get(key);
        if (!node) return void fresh.delete(key);
        const { uid } = node.metadata;
        if (node.spec?.podCIDR || node.metadata.deletionTimestamp || fresh.get(key)?.uid === uid) return;
        const free = nextFreeCidr(cluster, nodeCidrMaskSize, taken());
        if (!free) {
          recorder.event(node, 'Normal', 'CIDRNotAvailable', `Node ${key} status is now: CIDRNotAvailable`);
          return { requeueAfterMs: 30_000 };
        }
        const podCIDR = formatCidr(free);
        fresh.set(key, { uid, cidr: free });
        try {
          await client.patch(
            nodes,
            key,
            undefined,
            'strategic',
            { metadata: { uid }, spec: { podCIDR, podCIDRs: [podCIDR] } },
            { signal },
          );
          context.log.info('assigned pod addresses', { node: key, podCIDR });
        } catch (error) {
          fresh.delete(key);
          if (!isNotFound(error)) throw error;
        }
      },
    });
    informer.addHandler({
      onAdd: ({ metadata }) => controller.queue.add(metadata.name),
      onUpdate: (_, { metadata, spec }) => {
        if (!spec?.podCIDR) controller.queue.add(metadata.name);
      },
      onDelete: ({ metadata }) => controller.queue.add(metadata.name),
    });
    return controller;
  },
};
