import { nodes, pods } from '../../shared/api/generated/resources.js';
import type { Pod } from '../../shared/api/generated/types.js';
import { isPodTerminal } from '../../shared/api/pod.js';
import type { Client } from '../../shared/client/client.js';
import { liveObject } from '../../shared/client/live-object.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import { periodic, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { planPodCollection, type CollectedPod } from './plan-collection.js';

const periodMs = 20_000;
/** A node that is missing for so long, and that the server does not know either, does not come back. */
const quarantineMs = 40_000;

/** Removes pods that no kubelet will ever report the end of. */
export const podGarbageController: ControllerDefinition = {
  name: 'pod-garbage-collector-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('pod-garbage-collector');
    const nodeInformer = context.informers.informer(nodes);
    const podInformer = context.informers.informer(pods);
    /** Since when a node that pods name is missing. */
    const missing = new Map<string, number>();

    const confirmGone = async (signal: AbortSignal): Promise<Set<string>> => {
      const nowMs = context.clock.monotonic();
      const named = new Set(podInformer.lister.list().flatMap((pod) => pod.spec?.nodeName ?? []));
      for (const name of missing.keys()) if (!named.has(name) || nodeInformer.lister.get(name)) missing.delete(name);
      const gone = new Set<string>();
      for (const name of named) {
        if (nodeInformer.lister.get(name)) continue;
        const sinceMs = missing.get(name) ?? nowMs;
        missing.set(name, sinceMs);
        if (nowMs - sinceMs < quarantineMs) continue;
        if (!(await liveObject(client, nodes, name, undefined, signal))) gone.add(name);
      }
      return gone;
    };

    return periodic(context, 'podgc', periodMs, async (signal) => {
      await Promise.all([nodeInformer.waitForSync(signal), podInformer.waitForSync(signal)]);
      const gone = await confirmGone(signal);
      const plan = planPodCollection({
        pods: podInformer.lister.list(),
        hasNode: (name) => !gone.has(name),
        terminatedThreshold: context.options.terminatedPodThreshold,
      });
      for (const collected of plan) await remove(client, collected, timestamp(context.clock.now()), signal);
      if (plan.length > 0) context.log.info('removed pods', { count: plan.length });
    });
  },
};

/** A pod that did not end is first marked as failed: its owner and its watchers must not take it for a success. */
async function remove(client: Client, { pod, reason }: CollectedPod, now: string, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  try {
    if (!isPodTerminal(pod)) await markFailed(client, pod, reason, now, signal);
    await client.delete(pods, name, namespace, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

async function markFailed(
  client: Client,
  pod: Pod,
  reason: CollectedPod['reason'],
  now: string,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const disruption = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: now,
  };
  const conditions = reason === 'orphaned' ? { conditions: [disruption] } : {};
  const patch = { metadata: { uid }, status: { phase: 'Failed', ...conditions } };
  await client.patch(pods, name, namespace, 'strategic', patch, { subresource: 'status', signal });
}
