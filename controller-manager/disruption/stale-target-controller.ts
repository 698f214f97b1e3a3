import { setCondition } from '../../shared/api/condition.js';
import { pods } from '../../shared/api/generated/resources.js';
import type { Pod, PodCondition } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Client } from '../../shared/client/client.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { staleAfterMs } from './plan-budget.js';

/** Takes the condition DisruptionTarget back from pods that were to go and did not. */
export function staleTargetController(
  context: ControllerContext,
  podInformer: SharedInformer<Pod>,
  client: Client,
): Runnable {
  const { clock } = context;
  const controller = newController(context, {
    name: 'stale_pod_disruption',
    informers: [podInformer],
    workers: 1,
    reconcile: async (key, signal) => {
      const pod = podInformer.lister.get(key);
      const waitMs = pod && staleAfterMs(pod, clock.now());
      if (!pod || waitMs === undefined) return undefined;
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const condition: PodCondition = { type: 'DisruptionTarget', status: 'False' };
      const conditions = [...setCondition(pod.status?.conditions, condition, timestamp(clock.now()))];
      try {
        await client.updateStatus(pods, { ...pod, status: { ...pod.status, conditions } }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  });
  const look = (pod: Pod): void => {
    if (staleAfterMs(pod, clock.now()) !== undefined) controller.queue.add(objectKey(pod));
  };
  podInformer.addHandler({ onAdd: look, onUpdate: (_, pod) => look(pod) });
  return controller;
}
