import type { Binding, Pod, PodDisruptionBudget } from '../shared/api/generated/types.js';
import { defineResource } from '../shared/api/resource.js';
import type { Informer } from '../shared/cache/informer.js';
import type { Client } from '../shared/client/client.js';
import type { Clock } from '../shared/clock/clock.js';
import type { EventRecorder } from '../shared/controller/event-recorder.js';
import { isAbort, isConflict, isNotFound } from '../shared/errors/status-error.js';
import type { Log } from '../shared/log/log.js';
import { Roster } from '../shared/lifecycle/roster.js';
import { type ClusterCaches, ClusterFeed } from './cluster-feed.js';
import { Evictor } from './evictor.js';
import { explainRefusal } from './explanation.js';
import type { SchedulerCounts, SchedulerMetrics } from './metrics.js';
import { NodeTable } from './node-table.js';
import { Nominations } from './nominations.js';
import { Placer, type Refused } from './placement.js';
import type { PodInfo } from './pod-info.js';
import { PodReporter } from './pod-reporter.js';
import { planPreemption, type Preemption } from './preemption.js';
import { type Attempt, type ClusterChange, SchedulingQueue } from './scheduling-queue.js';
import type { NamespaceLabels } from './topology.js';
import { VolumeBinder } from './volume-binder.js';
import { VolumeCatalog, type VolumeDecision } from './volume-catalog.js';
import { changesThatHelp, changesThatHelpClaims } from './wake.js';

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

export interface SchedulerDependencies extends ClusterCaches {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: EventRecorder;
  readonly metrics: SchedulerMetrics;
  readonly random: () => number;
  readonly budgets: Informer<PodDisruptionBudget>;
  readonly namespaceLabels: NamespaceLabels;
}

/**
 * Gives each waiting pod a node. One pod is placed at a time against a table that already counts what was decided but not yet
 * confirmed ("assumed"); bindings travel side by side.
 *
 *      watch --> table, queue --take--> place --assume--> bind ---ok---> watch confirms
 *                  ^                      | |               |--fail--> forget, retry
 *                  |                      | '--claims to bind--> nominate, write them, wait until they are bound
 *                  |                      '--no node--> condition, event, wait for a change
 *                  '--- victims end ---------'--pods of less priority in the way--> nominate, evict them, wait
 */
export class Scheduler {
  readonly #deps: SchedulerDependencies;
  readonly #table = new NodeTable();
  readonly #nominations = new Nominations();
  readonly #catalog: VolumeCatalog;
  readonly #binder: VolumeBinder;
  readonly #evictor: Evictor;
  readonly #reporter: PodReporter;
  readonly #placer: Placer;
  readonly #queue: SchedulingQueue;
  /** Assumed pods whose binding is not yet seen in the watch. */
  readonly #assumed = new Set<string>();
  readonly #binding = new Roster<Promise<void>>();
  #wake: () => void = () => undefined;
  /** Called when a binding has ended. */
  #onBindingEnded: () => void = () => undefined;

  constructor(deps: SchedulerDependencies) {
    this.#deps = deps;
    const { claims, volumes, classes, namespaceLabels, random } = deps;
    this.#catalog = new VolumeCatalog({ claims: claims.lister, volumes: volumes.lister, classes: classes.lister });
    this.#binder = new VolumeBinder(deps.client, this.#catalog);
    this.#evictor = new Evictor(deps);
    this.#reporter = new PodReporter(deps);
    this.#placer = new Placer(this.#table, {
      namespaceLabels,
      random,
      volumes: this.#catalog,
      nominations: this.#nominations,
      onStep: deps.metrics.step,
    });
    const { clock, metrics } = deps;
    this.#queue = new SchedulingQueue({ clock, onReady: () => this.#wake(), onIncoming: metrics.incoming });
    const known = { table: this.#table, nominations: this.#nominations, queue: this.#queue, assumed: this.#assumed };
    new ClusterFeed(known, deps).follow();
  }

  counts(): SchedulerCounts {
    return { ...this.#queue.counts(), gated: this.#deps.pods.lister.list().filter(isGated).length };
  }

  /** Schedules until aborted; then waits for the bindings under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pods, nodes, claims, volumes, classes, budgets } = this.#deps;
    let cancelStale: () => void = () => undefined;
    const checkStale = (): void => {
      this.#queue.flushStale();
      cancelStale = clock.schedule(staleCheckMs, checkStale);
    };
    try {
      const caches = [pods, nodes, claims, volumes, classes, budgets];
      await Promise.all(caches.map((cache) => cache.waitForSync(signal)));
      checkStale();
      while (!signal.aborted) await this.#slice(signal);
    } catch (error) {
      if (!(signal.aborted && isAbort(error))) throw error;
    } finally {
      cancelStale();
      await Promise.allSettled(this.#binding.items());
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
    const decidedMs = performance.now();
    metrics.decided(decidedMs - startedMs);
    if (!('node' in placement)) {
      this.#refuse(attempt, placement);
      metrics.attempted(performance.now() - startedMs, 'unschedulable');
      return;
    }
    if (placement.volumes) {
      this.#track(this.#bindVolumes(attempt, placement.volumes, startedMs));
      return;
    }
    this.#nominations.delete(attempt.info.key);
    this.#table.addPod(attempt.info, placement.node);
    this.#assumed.add(attempt.info.key);
    metrics.step('Reserve', performance.now() - decidedMs, 'Success');
    this.#track(this.#bind(attempt, placement.node, startedMs));
  }

  #refuse(attempt: Attempt, refused: Refused): void {
    const { info } = attempt;
    const { budgets, metrics, random } = this.#deps;
    const startedMs = performance.now();
    const plan = planPreemption(info, refused, {
      table: this.#table,
      fit: this.#placer.fit,
      budgets: budgets.lister.list(),
      nominated: this.#nominations.nodeOf(info.key),
      random,
    });
    const changes = refused.problem === undefined ? changesThatHelp(refused.refusals.keys()) : changesThatHelpClaims;
    metrics.step('PostFilter', performance.now() - startedMs, 'victims' in plan ? 'Success' : 'Unschedulable');
    metrics.preemptionPlanned('victims' in plan ? plan.victims.length : 0);
    if ('victims' in plan) {
      const message = explainRefusal(info, refused, this.#table);
      this.#track(this.#preempt(attempt, plan, message, new Set([...changes, 'PodGone'])));
      return;
    }
    if (plan.isHopeless) this.#nominations.delete(info.key);
    const message = explainRefusal(info, refused, this.#table, plan.message);
    this.#queue.refuse(attempt, changes);
    this.#track(this.#reporter.refused(this.#latest(info), message, plan.isHopeless ? null : undefined));
  }

  /** The attempt ends when the victims are told, so that none is told twice; their end is what the pod then waits for. */
  async #preempt(
    attempt: Attempt,
    plan: Preemption,
    message: string,
    wakeOn: ReadonlySet<ClusterChange>,
  ): Promise<void> {
    const { info } = attempt;
    const { log } = this.#deps;
    const outranked = [...this.#nominations.on(plan.node)].filter(({ priority }) => priority < info.priority);
    for (const { key } of outranked) this.#nominations.delete(key);
    this.#nominations.set(info, plan.node);
    try {
      await Promise.all(outranked.map((other) => this.#reporter.nominate(this.#latest(other), null)));
      await this.#reporter.refused(this.#latest(info), message, plan.node);
      await this.#evictor.evict(info.pod, plan);
      this.#queue.refuse(attempt, wakeOn);
    } catch (error) {
      log.warn('preemption failed', { pod: info.key, node: plan.node, error });
      this.#queue.retry(attempt);
    }
    for (const { key } of outranked) this.#queue.wake(key);
  }

  /** The pod has its node in view until its claims are bound, and is bound then. */
  async #bindVolumes(attempt: Attempt, decision: VolumeDecision, startedMs: number): Promise<void> {
    const { info } = attempt;
    const { metrics } = this.#deps;
    this.#nominations.set(info, decision.node);
    const decidedMs = performance.now();
    try {
      await Promise.all([this.#reporter.nominate(this.#latest(info), decision.node), this.#binder.bind(decision)]);
      metrics.step('PreBind', performance.now() - decidedMs, 'Success');
      this.#queue.refuse(attempt, changesThatHelpClaims);
    } catch (error) {
      metrics.step('PreBind', performance.now() - decidedMs, 'Error');
      metrics.attempted(performance.now() - startedMs, 'error');
      if (!isConflict(error) && !isNotFound(error))
        this.#deps.log.warn('volumes could not be bound', { pod: info.key, node: decision.node, error });
      this.#queue.retry(attempt);
    }
  }

  #track(work: Promise<void>): void {
    const place = this.#binding.enter(
      work.finally(() => {
        this.#binding.leave(place);
        this.#onBindingEnded();
      }),
    );
  }

  async #bind(attempt: Attempt, node: string, startedMs: number): Promise<void> {
    const { client, clock, log, metrics, recorder } = this.#deps;
    const { pod, key } = attempt.info;
    const { name, namespace, uid } = pod.metadata;
    const binding = {
      metadata: { name, ...(namespace ? { namespace } : {}), uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    };
    const decidedMs = performance.now();
    try {
      await client.create(podBindings, binding, { name, subresource: 'binding' });
      this.#queue.finish(key);
      const endMs = performance.now();
      metrics.step('Bind', endMs - decidedMs, 'Success');
      metrics.attempted(endMs - startedMs, 'scheduled');
      metrics.bound(attempt.attempts + 1, clock.monotonic() - attempt.queuedAtMs);
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`);
    } catch (error) {
      this.#forget(key);
      metrics.step('Bind', performance.now() - decidedMs, 'Error');
      metrics.attempted(performance.now() - startedMs, 'error');
      if (isNotFound(error)) {
        this.#queue.finish(key);
        return;
      }
      // Bound by another in the meantime: the watch will tell.
      if (!isConflict(error)) log.warn('binding failed', { pod: key, node, error });
      this.#queue.retry(attempt);
    }
  }

  /** A pod in flight may be older than what the cache has by now. */
  #latest({ key, pod }: PodInfo): Pod {
    return this.#deps.pods.lister.get(key) ?? pod;
  }

  #forget(key: string): void {
    if (this.#assumed.delete(key)) this.#table.removePod(key);
  }
}

/** Not to be scheduled yet: somebody has still to say that it may. */
const isGated = ({ spec }: Pod): boolean => !spec.nodeName && (spec.schedulingGates ?? []).length > 0;
