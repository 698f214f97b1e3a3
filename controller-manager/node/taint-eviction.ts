import { nodes, pods } from '../../shared/api/generated/resources.js';
import type { Node, Pod, Taint } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { stableJson } from '../../shared/api/hash.js';
import { tolerationSeconds } from '../../shared/api/taint.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Client } from '../../shared/client/client.js';
import { liveObject } from '../../shared/client/live-object.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';

/**
 * When a pod must leave its node, in milliseconds since the epoch: at once (0) when it does not tolerate a NoExecute
 * taint, after the shortest toleration otherwise; undefined: never. Counted from the taint's timeAdded, so that a
 * restart of the controller does not prolong it.
 */
export function evictionTimeMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  const times = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .flatMap((taint) => {
      const seconds = tolerationSeconds(taint, pod.spec?.tolerations);
      if (seconds === undefined) return [];
      if (seconds === 0) return [0];
      const sinceMs = taint.timeAdded ? Date.parse(taint.timeAdded) : nowMs;
      return [sinceMs + seconds * 1000];
    });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The watch of nodes shows by then what the server has told already. */
const lagMs = 1_000;

/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or not any longer. */
export function taintEviction(
  context: ControllerContext,
  nodeInformer: SharedInformer<Node>,
  podInformer: SharedInformer<Pod>,
): Runnable {
  const client = context.client('node-controller');
  const recorder = context.recorder('node-controller', 'taint-eviction-controller');
  const controller = newController(context, {
    name: 'tainteviction',
    informers: [nodeInformer, podInformer],
    reconcile: async (key, signal) => {
      const pod = podInformer.lister.get(key);
      if (!pod?.spec?.nodeName || pod.metadata.deletionTimestamp) return;
      const taints = nodeInformer.lister.get(pod.spec.nodeName)?.spec?.taints ?? [];
      const nowMs = context.clock.now();
      const dueMs = evictionTimeMs(pod, taints, nowMs);
      if (dueMs === undefined) return;
      if (dueMs > nowMs) return { requeueAfterMs: dueMs - nowMs };
      // Nodes and pods come by watches of their own: the node may have recovered before the pod was placed on it.
      const live = await liveObject(client, nodes, pod.spec.nodeName, undefined, signal);
      const liveDueMs = evictionTimeMs(pod, live?.spec?.taints ?? [], nowMs);
      if (liveDueMs === undefined || liveDueMs > nowMs) return { requeueAfterMs: lagMs };
      recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
      await evict(client, pod, timestamp(nowMs), signal);
    },
  });
  podInformer.addHandler({
    onAdd: (pod) => controller.queue.add(objectKey(pod)),
    onUpdate: (previous, pod) => {
      const moved = previous.spec?.nodeName !== pod.spec?.nodeName;
      if (moved || stableJson(previous.spec?.tolerations) !== stableJson(pod.spec?.tolerations)) {
        controller.queue.add(objectKey(pod));
      }
    },
  });
  const enqueuePods = (node: Node): void => {
    for (const pod of podInformer.lister.byIndex('node', node.metadata.name)) controller.queue.add(objectKey(pod));
  };
  nodeInformer.addHandler({
    onAdd: enqueuePods,
    onUpdate: (previous, node) => {
      if (stableJson(previous.spec?.taints) !== stableJson(node.spec?.taints)) enqueuePods(node);
    },
  });
  return controller;
}

async function evict(client: Client, pod: Pod, now: string, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: now,
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  try {
    await client.patch(pods, name, namespace, 'strategic', patch, { subresource: 'status', signal });
    await client.delete(pods, name, namespace, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
