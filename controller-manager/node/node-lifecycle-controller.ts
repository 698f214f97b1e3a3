import { leases, nodes, pods } from '../../shared/api/generated/resources.js';
import type { Node, Pod } from '../../shared/api/generated/types.js';
import { getCondition, isConditionTrue, setCondition } from '../../shared/api/condition.js';
import { NAMESPACE_NODE_LEASE } from '../../shared/api/well-known.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Client } from '../../shared/client/client.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import { periodic, together, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { nextHeartbeat, readyStatus, silentConditions, type Heartbeat } from './plan-health.js';
import { nodeTaints } from './node-taints.js';
import { taintEviction } from './taint-eviction.js';

/** The pods of each node. */
const byNode = { node: (pod: Pod): string[] => (pod.spec?.nodeName ? [pod.spec.nodeName] : []) };

/** Notices nodes that fell silent, taints nodes by their conditions, and evicts what does not tolerate that. */
export const nodeLifecycleController: ControllerDefinition = {
  name: 'node-lifecycle-controller',
  build: (context: ControllerContext): Runnable => {
    const nodeInformer = context.informers.informer(nodes);
    const podInformer = context.informers.informer(pods, { indexes: byNode });
    const leaseInformer = context.informers.informer(leases, { namespace: NAMESPACE_NODE_LEASE });
    const monitor = new NodeMonitor(context, nodeInformer, podInformer);
    const { nodeMonitorPeriodMs } = context.options;
    const loop = periodic(context, 'node-lifecycle', nodeMonitorPeriodMs, async (signal) => {
      await Promise.all([nodeInformer, podInformer, leaseInformer].map((informer) => informer.waitForSync(signal)));
      const renewTimeOf = (name: string): string | undefined =>
        leaseInformer.lister.get(`${NAMESPACE_NODE_LEASE}/${name}`)?.spec?.renewTime;
      await monitor.look(renewTimeOf, signal);
    });
    return together(loop, nodeTaints(context, nodeInformer), taintEviction(context, nodeInformer, podInformer));
  },
};

class NodeMonitor {
  readonly #context: ControllerContext;
  readonly #nodes: SharedInformer<Node>;
  readonly #pods: SharedInformer<Pod>;
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #heartbeats = new Map<string, Heartbeat>();

  constructor(context: ControllerContext, nodeInformer: SharedInformer<Node>, podInformer: SharedInformer<Pod>) {
    this.#context = context;
    this.#nodes = nodeInformer;
    this.#pods = podInformer;
    this.#client = context.client('node-controller');
    this.#recorder = context.recorder('node-controller');
  }

  /** One look at all nodes. A node that fails does not keep the others from being looked at. */
  async look(renewTimeOf: (name: string) => string | undefined, signal: AbortSignal): Promise<void> {
    const all = this.#nodes.lister.list();
    this.#forgetGone(all);
    const results = await Promise.allSettled(
      all.map(async (node) => {
        const current = await this.#noteSilence(node, renewTimeOf(node.metadata.name), signal);
        if (readyStatus(current) !== 'True') await this.#markPodsNotReady(current, signal);
      }),
    );
    for (const result of results) {
      if (result.status === 'fulfilled' || isConflict(result.reason) || isNotFound(result.reason)) continue;
      if (!signal.aborted) this.#context.log.warn('looking after a node failed', { error: result.reason as unknown });
    }
  }

  #forgetGone(all: readonly Node[]): void {
    const names = new Set(all.map(({ metadata }) => metadata.name));
    for (const name of this.#heartbeats.keys()) if (!names.has(name)) this.#heartbeats.delete(name);
  }

  async #noteSilence(node: Node, renewTime: string | undefined, signal: AbortSignal): Promise<Node> {
    const { clock, options } = this.#context;
    const { name } = node.metadata;
    const known = this.#heartbeats.get(name);
    if (!known)
      this.#recorder.event(
        node,
        'Normal',
        'RegisteredNode',
        `Node ${name} event: Registered Node ${name} in Controller`,
      );
    const heartbeat = nextHeartbeat(known, node, renewTime, clock.monotonic());
    this.#heartbeats.set(name, heartbeat);
    if (clock.monotonic() - heartbeat.atMs < options.nodeMonitorGraceMs) return node;
    const conditions = silentConditions(node, timestamp(clock.now()));
    if (!conditions) return node;
    const wasReady = readyStatus(node) === 'True';
    const updated = { ...node, status: { ...node.status, conditions } };
    const written = await this.#client.updateStatus(nodes, updated, { signal });
    this.#context.log.info('node fell silent', { node: name });
    if (wasReady) this.#recorder.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    return written;
  }

  /** Endpoints must leave a node that cannot be asked any more. The kubelet corrects it when it is back. */
  async #markPodsNotReady(node: Node, signal: AbortSignal): Promise<void> {
    // A node that answers and is not ready reports its pods itself.
    if (readyStatus(node) !== 'Unknown') return;
    const now = timestamp(this.#context.clock.now());
    for (const pod of this.#pods.lister.byIndex('node', node.metadata.name)) {
      if (!isConditionTrue(pod.status?.conditions, 'Ready')) continue;
      const ready = getCondition(pod.status?.conditions, 'Ready');
      const conditions = setCondition(
        pod.status?.conditions,
        { ...ready, type: 'Ready', status: 'False', lastTransitionTime: now },
        now,
      );
      const { name, namespace, resourceVersion } = pod.metadata;
      const patch = { metadata: { resourceVersion }, status: { conditions } };
      await this.#client
        .patch(pods, name, namespace, 'merge', patch, { subresource: 'status', signal })
        .catch((error: unknown) => {
          if (!isNotFound(error) && !isConflict(error)) throw error;
        });
      this.#recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    }
  }
}
