import { pods as podResource } from '../shared/api/generated/resources.js';
import type { Binding, Node, Pod } from '../shared/api/generated/types.js';
import { amount } from '../shared/api/pod.js';
import { defineResource } from '../shared/api/resource.js';
import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';
import type { Informer } from '../shared/cache/informer.js';
import type { Client } from '../shared/client/client.js';
import type { Clock } from '../shared/clock/clock.js';
import type { EventRecorder } from '../shared/controller/event-recorder.js';
import { isAbort, isConflict, isNotFound } from '../shared/errors/status-error.js';
import type { Log } from '../shared/log/log.js';
import { explainRefusal } from './explanation.js';
import type { SchedulerMetrics } from './metrics.js';
import { NodeTable } from './node-table.js';
import { Placer } from './placement.js';
import { type PodInfo, toPodInfo } from './pod-info.js';
import { type Attempt, SchedulingQueue } from './scheduling-queue.js';
import type { NamespaceLabels } from './topology.js';
import { changesThatHelp } from './wake.js';

/** pods/binding: what is posted below a pod is a Binding. */
const podBindings = defineResource<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  resource: 'pods',
  namespaced: true,
});

/** Bindings on their way to the server at once: it writes those together that come together. */
const bindingsInFlight = 100;
/** The loop lets watch events in after so long. */
const sliceMs = 5;
const staleCheckMs = 30_000;

export interface SchedulerDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: EventRecorder;
  readonly metrics: SchedulerMetrics;
  readonly random: () => number;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly namespaceLabels: NamespaceLabels;
}

/**
 * Gives each waiting pod a node. One pod is placed at a time against a table that already counts what was decided but not yet
 * confirmed ("assumed"); bindings travel side by side.
 *
 *      watch --> table, queue --take--> place --assume--> bind ---ok---> watch confirms
 *                  ^                      |                 |--fail--> forget, retry
 *                  |                      '--no node--> condition, event, wait for a change
 */
export class Scheduler {
  readonly #deps: SchedulerDependencies;
  readonly #table = new NodeTable();
  readonly #placer: Placer;
  readonly #queue: SchedulingQueue;
  /** Assumed pods whose binding is not yet seen in the watch. */
  readonly #assumed = new Set<string>();
  readonly #binding = new Set<Promise<void>>();
  #wake: () => void = () => undefined;
  /** Called when a binding has ended. */
  #onBindingEnded: () => void = () => undefined;

  constructor(deps: SchedulerDependencies) {
    this.#deps = deps;
    this.#placer = new Placer(this.#table, { namespaceLabels: deps.namespaceLabels, random: deps.random });
    this.#queue = new SchedulingQueue({ clock: deps.clock, onReady: () => this.#wake() });
    deps.nodes.addHandler({
      onAdd: (node) => this.#nodeAdded(node),
      onUpdate: (previous, node) => this.#nodeChanged(previous, node),
      onDelete: (node) => this.#table.removeNode(node.metadata.name),
    });
    deps.pods.addHandler({
      onAdd: (pod) => this.#podSeen(pod, undefined),
      onUpdate: (previous, pod) => this.#podSeen(pod, previous),
      onDelete: (pod) => this.#podGone(pod),
    });
  }

  counts(): { active: number; backoff: number; unschedulable: number } {
    return this.#queue.counts();
  }

  /** Schedules until aborted; then waits for the bindings under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pods, nodes } = this.#deps;
    let cancelStale: () => void = () => undefined;
    const checkStale = (): void => {
      this.#queue.flushStale();
      cancelStale = clock.schedule(staleCheckMs, checkStale);
    };
    try {
      await Promise.all([pods.waitForSync(signal), nodes.waitForSync(signal)]);
      checkStale();
      while (!signal.aborted) await this.#slice(signal);
    } catch (error) {
      if (!(signal.aborted && isAbort(error))) throw error;
    } finally {
      cancelStale();
      await Promise.allSettled(this.#binding);
    }
  }

  /** Places pods for a few milliseconds, then lets other work in; sleeps while there is nothing to place. */
  async #slice(signal: AbortSignal): Promise<void> {
    const untilMs = performance.now() + sliceMs;
    while (performance.now() < untilMs) {
      if (this.#binding.size >= bindingsInFlight) {
        await new Promise<void>((resolve) => (this.#onBindingEnded = resolve));
        return;
      }
      const attempt = this.#queue.take();
      if (!attempt) {
        await this.#woken(signal);
        return;
      }
      this.#try(attempt);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#wake = () => undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  #try(attempt: Attempt): void {
    const { metrics } = this.#deps;
    const startedMs = performance.now();
    const placement = this.#placer.place(attempt.info);
    metrics.placed(performance.now() - startedMs, 'node' in placement);
    if (!('node' in placement)) {
      const message = explainRefusal(attempt.info, placement, this.#table);
      this.#queue.refuse(attempt, changesThatHelp(placement.refusals.keys()));
      this.#track(this.#reportRefusal(attempt.info.pod, message));
      return;
    }
    this.#table.addPod(attempt.info, placement.node);
    this.#assumed.add(attempt.info.key);
    this.#track(this.#bind(attempt, placement.node));
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#binding.delete(tracked);
      this.#onBindingEnded();
    });
    this.#binding.add(tracked);
  }

  async #bind(attempt: Attempt, node: string): Promise<void> {
    const { client, log, recorder } = this.#deps;
    const { pod, key } = attempt.info;
    const { name, namespace, uid } = pod.metadata;
    const binding = {
      metadata: { name, ...(namespace ? { namespace } : {}), uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    };
    try {
      await client.create(podBindings, binding, { name, subresource: 'binding' });
      this.#queue.finish(key);
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`);
    } catch (error) {
      this.#forget(key);
      if (isNotFound(error)) {
        this.#queue.finish(key);
        return;
      }
      // Bound by another in the meantime: the watch will tell.
      if (!isConflict(error)) log.warn('binding failed', { pod: key, node, error });
      this.#queue.retry(attempt);
    }
  }

  #forget(key: string): void {
    if (this.#assumed.delete(key)) this.#table.removePod(key);
  }

  async #reportRefusal(pod: Pod, message: string): Promise<void> {
    const { client, clock, log, recorder } = this.#deps;
    recorder.event(pod, 'Warning', 'FailedScheduling', message);
    const previous = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
    if (previous?.status === 'False' && previous.reason === 'Unschedulable' && previous.message === message) return;
    const lastTransitionTime =
      previous?.status === 'False'
        ? previous.lastTransitionTime
        : new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime };
    try {
      await client.patch(
        podResource,
        pod.metadata.name,
        pod.metadata.namespace,
        'strategic',
        { status: { conditions: [condition] } },
        { subresource: 'status' },
      );
    } catch (error) {
      if (!isNotFound(error))
        log.warn('could not report that a pod has no node', {
          pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
          error,
        });
    }
  }

  #nodeAdded(node: Node): void {
    this.#table.setNode(node);
    this.#queue.notice('NodeAdded');
  }

  #nodeChanged(previous: Node, node: Node): void {
    this.#table.setNode(node);
    const seen = (n: Node): string => JSON.stringify([n.metadata.labels, n.spec.taints, n.spec.unschedulable]);
    if (seen(previous) !== seen(node)) this.#queue.notice('NodeLabelsOrTaintsChanged');
    if (hasGrown(previous, node)) this.#queue.notice('NodeResourcesGrew');
  }

  #podSeen(pod: Pod, previous: Pod | undefined): void {
    const info = toPodInfo(pod);
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
      this.#podGone(pod);
    } else if (pod.spec.nodeName) {
      this.#queue.remove(info.key);
      this.#assumed.delete(info.key);
      this.#table.addPod(info, pod.spec.nodeName);
      if (!previous?.spec.nodeName) this.#queue.notice('PodPlaced');
    } else if (isWaiting(pod)) {
      this.#enqueue(info, previous);
    } else {
      this.#queue.remove(info.key);
    }
  }

  #enqueue(info: PodInfo, previous: Pod | undefined): void {
    if (this.#assumed.has(info.key)) return;
    if (
      !this.#queue.has(info.key) ||
      (previous && isWaiting(previous) && JSON.stringify(previous.spec) !== JSON.stringify(info.pod.spec))
    )
      this.#queue.add(info);
    else this.#queue.update(info);
  }

  #podGone(pod: Pod): void {
    const { key } = toPodInfo(pod);
    this.#queue.remove(key);
    this.#assumed.delete(key);
    const wasPlaced = this.#table.has(key);
    this.#table.removePod(key);
    if (wasPlaced) this.#queue.notice('PodGone');
  }
}

const isWaiting = (pod: Pod): boolean =>
  (pod.spec.schedulerName ?? DEFAULT_SCHEDULER) === DEFAULT_SCHEDULER &&
  !pod.metadata.deletionTimestamp &&
  (pod.spec.schedulingGates ?? []).length === 0;

function hasGrown(previous: Node, node: Node): boolean {
  const before = previous.status?.allocatable ?? {};
  return Object.entries(node.status?.allocatable ?? {}).some(
    ([name, quantity]) =>
      before[name] !== quantity &&
      amount(name, quantity) > (before[name] === undefined ? 0 : amount(name, before[name])),
  );
}
