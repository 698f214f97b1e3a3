import { nodes } from '../../shared/api/generated/resources.js';
import type { Node, Taint } from '../../shared/api/generated/types.js';
import { stableJson } from '../../shared/api/hash.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { mayEvict, plannedTaints, readyStatus } from './plan-health.js';

/** Keeps the taints of every node as its conditions and spec.unschedulable ask for. */
export function nodeTaints(context: ControllerContext, nodeInformer: SharedInformer<Node>): Runnable {
  const client = context.client('node-controller');
  const evictions = context.metrics.counter({
    name: 'node_collector_evictions_total',
    help: 'Number of Node evictions that happened since current instance of NodeController started.',
    labels: ['zone'],
  });
  const controller = newController(context, {
    name: 'node-taints',
    informers: [nodeInformer],
    reconcile: async (key, signal) => {
      const node = nodeInformer.lister.get(key);
      if (!node || node.metadata.deletionTimestamp) return;
      const all = nodeInformer.lister.list();
      const ready = all.filter((other) => readyStatus(other) === 'True').length;
      const nowIso = timestamp(context.clock.now());
      const taints = plannedTaints(node, mayEvict(ready, all.length - ready), nowIso);
      if (!taints) return;
      const patch = {
        metadata: { resourceVersion: node.metadata.resourceVersion },
        spec: { taints: taints.length > 0 ? taints : null },
      };
      try {
        await client.patch(nodes, key, undefined, 'merge', patch, { signal });
        if (beginsEviction(node.spec?.taints, taints)) evictions.inc([zoneOf(node)]);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  });
  nodeInformer.addHandler({
    onAdd: ({ metadata }) => controller.queue.add(metadata.name),
    onUpdate: (previous, node) => {
      if (healthView(previous) === healthView(node)) return;
      // Whether anyone may be evicted depends on all nodes.
      if (readyStatus(previous) === readyStatus(node)) controller.queue.add(node.metadata.name);
      else for (const { metadata } of nodeInformer.lister.list()) controller.queue.add(metadata.name);
    },
  });
  return controller;
}

/** Whether pods that were let be must go now. */
export const beginsEviction = (before: readonly Taint[] | undefined, after: readonly Taint[]): boolean =>
  after.some(({ key, effect }) => effect === 'NoExecute' && !has(before, key));

const has = (taints: readonly Taint[] | undefined, key: string): boolean =>
  (taints ?? []).some((taint) => taint.key === key && taint.effect === 'NoExecute');

/** Region and zone, as the original's metrics put them together, but for a NUL between them that no dashboard could write. */
function zoneOf({ metadata: { labels } }: Node): string {
  const region = labels?.['topology.kubernetes.io/region'] ?? '';
  const zone = labels?.['topology.kubernetes.io/zone'] ?? '';
  return region === '' && zone === '' ? '' : `${region}::${zone}`;
}

/** What taints depend on; heartbeats are none of it. */
function healthView({ spec, status }: Node): string {
  const conditions = (status?.conditions ?? []).map(({ type, status: value }) => `${type}=${value}`);
  return stableJson([spec?.unschedulable ?? false, spec?.taints ?? [], conditions]);
}
