import { poddisruptionbudgets, pods } from '../../shared/api/generated/resources.js';
import type { LabelSelector, Pod, PodDisruptionBudget } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { controllerOf } from '../../shared/api/owner.js';
import { matchesSelector, SelectorError, selectorOf } from '../../shared/api/selector.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Client } from '../../shared/client/client.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { ReconcileResult } from '../../shared/controller/reconciler.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import { newController, together } from '../context.js';
import type { ControllerContext, ControllerDefinition, Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { ControllerScales } from './controller-scale.js';
import {
  countHealthy,
  disruptions,
  expectation,
  failSafe,
  isRelative,
  planStatus,
  selectorText,
} from './plan-budget.js';
import { staleTargetController } from './stale-target-controller.js';

const account = 'disruption-controller';
/** After a failure that the status tells, another look is taken although nothing of the budget or its pods changes. */
const retryMs = 60_000;

/** Counts for every PodDisruptionBudget how many of its pods may go, which the API server reads when a pod is to be evicted. */
export const disruptionController: ControllerDefinition = {
  name: account,
  build: (context: ControllerContext): Runnable => {
    const budgets = context.informers.informer(poddisruptionbudgets);
    const podInformer = context.informers.informer(pods);
    const client = context.client(account);
    const recorder = context.recorder(account, 'controllermanager');
    const scales = new ControllerScales(client, context.informers);
    const reconciler = new BudgetReconciler(context, { budgets, podInformer, client, recorder, scales });
    const controller = newController(context, {
      name: 'disruption',
      informers: [budgets, podInformer, ...scales.informers],
      workers: 1,
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    const enqueue = (budget: PodDisruptionBudget): void => controller.queue.add(objectKey(budget));
    budgets.addHandler({ onAdd: enqueue, onUpdate: (_, budget) => enqueue(budget) });
    const enqueueGuards = (pod: Pod): PodDisruptionBudget[] => {
      const guards = guardsOf(budgets, pod);
      guards.forEach(enqueue);
      return guards;
    };
    const onChange = (pod: Pod): void => tellMany(recorder, pod, enqueueGuards(pod));
    podInformer.addHandler({
      onAdd: onChange,
      onUpdate: (previous, pod) => {
        if (previous.metadata.labels !== pod.metadata.labels) enqueueGuards(previous);
        onChange(pod);
      },
      onDelete: onChange,
    });
    return together(controller, staleTargetController(context, podInformer, client));
  },
};

function guardsOf(budgets: SharedInformer<PodDisruptionBudget>, { metadata }: Pod): PodDisruptionBudget[] {
  return budgets.lister
    .listNamespace(metadata.namespace ?? '')
    .filter(({ spec }) => isSelected(spec?.selector, metadata.labels));
}

/** A selector that is none selects nothing; its budget tells so when it is looked at itself. */
function isSelected(selector: LabelSelector | undefined, labels: Pod['metadata']['labels']): boolean {
  try {
    return matchesSelector(selectorOf(selector), labels);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}

function tellMany(recorder: EventRecorder, pod: Pod, [first, ...others]: readonly PodDisruptionBudget[]): void {
  if (!first || others.length === 0) return;
  const subject = `Pod "${pod.metadata.namespace ?? ''}"/"${pod.metadata.name}"`;
  const text = `${subject} matches multiple PodDisruptionBudgets.  Chose "${first.metadata.name}" arbitrarily.`;
  recorder.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', text);
}

interface Dependencies {
  readonly budgets: SharedInformer<PodDisruptionBudget>;
  readonly podInformer: SharedInformer<Pod>;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly scales: ControllerScales;
}

class BudgetReconciler {
  readonly #context: ControllerContext;
  readonly #deps: Dependencies;

  constructor(context: ControllerContext, deps: Dependencies) {
    this.#context = context;
    this.#deps = deps;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const budget = this.#deps.budgets.lister.get(key);
    if (!budget) return undefined;
    try {
      return await this.#count(budget, signal);
    } catch (error) {
      // The eviction of a pod has changed the budget meanwhile: count again.
      if (isConflict(error) || signal.aborted) throw error;
      const message = messageOf(error);
      this.#context.log.warn('a disruption budget cannot be counted', { budget: key, error });
      await this.#write(budget, failSafe(budget, message, timestamp(this.#context.clock.now())), signal);
      return { requeueAfterMs: retryMs };
    }
  }

  async #count(budget: PodDisruptionBudget, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { recorder } = this.#deps;
    const guarded = this.#podsOf(budget);
    if (guarded.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found');
    const expected = await this.#expectation(budget, guarded, signal);
    const nowMs = this.#context.clock.now();
    const found = disruptions(budget, guarded, nowMs);
    for (const pod of found.overdue) {
      const name = `${budget.metadata.namespace ?? ''}/${budget.metadata.name}`;
      const text = `Pod was expected by PDB ${name} to be deleted but it wasn't`;
      recorder.event(pod, 'Warning', 'NotDeleted', text);
    }
    const currentHealthy = countHealthy(guarded, found);
    const status = planStatus(budget, expected, { currentHealthy, pending: found.pending }, timestamp(nowMs));
    if (status) await this.#write(budget, status, signal);
    // A time of the API has whole seconds: one more makes sure that it is over.
    return found.recheckAfterMs === undefined ? undefined : { requeueAfterMs: found.recheckAfterMs + 1 };
  }

  #podsOf(budget: PodDisruptionBudget): Pod[] {
    try {
      const selector = selectorOf(budget.spec?.selector);
      const all = this.#deps.podInformer.lister.listNamespace(budget.metadata.namespace ?? '');
      return all.filter(({ metadata }) => matchesSelector(selector, metadata.labels));
    } catch (error) {
      this.#deps.recorder.event(budget, 'Warning', 'NoPods', `Failed to get pods: ${messageOf(error)}`);
      throw error;
    }
  }

  async #expectation(
    budget: PodDisruptionBudget,
    guarded: readonly Pod[],
    signal: AbortSignal,
  ): Promise<ReturnType<typeof expectation>> {
    try {
      return expectation(budget, isRelative(budget) ? await this.#scale(budget, guarded, signal) : guarded.length);
    } catch (error) {
      const text = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
      if (!signal.aborted) this.#deps.recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', text);
      throw error;
    }
  }

  /** What all controllers of the pods ask for together. */
  async #scale(budget: PodDisruptionBudget, guarded: readonly Pod[], signal: AbortSignal): Promise<number> {
    const known = new Set<string>();
    const replicas = new Map<string, number>();
    let hasUnmanaged = false;
    for (const pod of guarded) {
      const controller = controllerOf(pod);
      hasUnmanaged ||= !controller;
      if (!controller || known.has(controller.uid)) continue;
      known.add(controller.uid);
      const scale = await this.#deps.scales.of(controller, pod.metadata.namespace ?? '', signal);
      if (!scale) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
      replicas.set(scale.uid, scale.replicas);
    }
    if (hasUnmanaged) this.#deps.recorder.event(budget, 'Warning', 'UnmanagedPods', unmanagedText(budget));
    return [...replicas.values()].reduce((sum, each) => sum + each, 0);
  }

  async #write(
    budget: PodDisruptionBudget,
    status: NonNullable<PodDisruptionBudget['status']>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#deps.client.updateStatus(poddisruptionbudgets, { ...budget, status }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const unmanagedText = ({ spec }: PodDisruptionBudget): string =>
  `Pods selected by this PodDisruptionBudget (selector: ${selectorText(spec?.selector)}) were found to be unmanaged. ` +
  'As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. ' +
  'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
