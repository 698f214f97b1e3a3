import { isPodReady, isPodTerminal } from '../../shared/api/pod.js';
import { setCondition } from '../../shared/api/condition.js';
import type { Condition, Pod, PodDisruptionBudget } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { matchesSelector, SelectorError, selectorOf } from '../../shared/api/selector.js';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { timestamp } from '../registry/object-metadata.js';
import type { ServedResource } from '../registry/resource-registry.js';
import type { WriteOptions } from '../registry/write-options.js';

/** Evictions that no controller has confirmed yet; more would make the budget too big an object. */
const MAX_DISRUPTED = 2000;
const SUGGESTED_WAIT_SECONDS = 10;
const REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget.";
const budgetResource = { group: 'policy', kind: 'poddisruptionbudgets' };

/** What the budgets have to say to an eviction. */
export interface EvictionLeave {
  /** The pod counts as healthy for no budget, and may go only as long as it is in this very state. */
  readonly resourceVersion?: string;
  /** Name of the budget that lets it go as an unhealthy one. */
  readonly budget?: string;
}

/** Asks the budgets of a pod for leave to evict it, and notes the eviction in the one that grants it. Throws 429 where it does not. */
export class DisruptionBudgets {
  readonly #budgets: ServedResource | undefined;
  readonly #clock: Clock;

  /** Undefined: no budgets are served. */
  constructor(budgets: ServedResource | undefined, clock: Clock) {
    this.#budgets = budgets;
    this.#clock = clock;
  }

  async ask(pod: Pod & KubernetesObject, options: WriteOptions): Promise<EvictionLeave> {
    const { resourceVersion } = pod.metadata;
    if (!this.#budgets || isOver(pod)) return {};
    // It does no work yet; once it does, its budget has a say.
    if (pod.status?.phase === 'Pending') return { resourceVersion };
    const [budget, ...others] = this.#budgetsOf(pod);
    if (!budget) return {};
    if (others.length > 0) {
      const text = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
      throw new StatusError(500, 'InternalError', text);
    }
    const { name, namespace } = budget.metadata;
    if (!isPodReady(pod) && mayLoseUnhealthy(budget)) return { resourceVersion, budget: name };
    const nowIso = timestamp(this.#clock.now());
    await this.#budgets.store.modify(
      namespace,
      name,
      options,
      { subresource: 'status', skipsAdmission: true },
      (current) => {
        decrement(current as KubernetesObject & PodDisruptionBudget, pod.metadata.name, nowIso);
        return current;
      },
    );
    return {};
  }

  #budgetsOf({ metadata }: Pod): PodDisruptionBudget[] {
    const { cache, prefix } = (this.#budgets as ServedResource).store;
    return cache
      .snapshot(`${prefix}${metadata.namespace ?? ''}/`)
      .map(({ object }) => object as unknown as PodDisruptionBudget)
      .filter(({ spec }) => isSelected(spec?.selector, metadata.labels));
  }
}

/** Pods that do no work any more are missed by nobody. */
function isOver(pod: Pod): boolean {
  return isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined;
}

function isSelected(
  selector: NonNullable<PodDisruptionBudget['spec']>['selector'],
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  try {
    return matchesSelector(selectorOf(selector), labels);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}

function mayLoseUnhealthy({ spec, status }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** Takes one disruption from the budget, for this pod. */
function decrement(budget: PodDisruptionBudget, podName: string, nowIso: string): void {
  const { metadata } = budget;
  const status = (budget.status ??= {});
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw stillProcessed(metadata.name);
  }
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) throw forbidden(metadata.name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED)
    throw forbidden(metadata.name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (allowed === 0) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status;
    const text = `The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
    throw tooManyRequests(0, text);
  }
  status.disruptionsAllowed = allowed - 1;
  if (status.disruptionsAllowed === 0) status.conditions = withoutLeave(budget, nowIso);
  status.disruptedPods = { ...status.disruptedPods, [podName]: nowIso };
}

function withoutLeave({ status }: PodDisruptionBudget, nowIso: string): Condition[] {
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    lastTransitionTime: nowIso,
    ...(status?.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
  };
  return [...setCondition<Condition>(status?.conditions, condition, nowIso)];
}

/** Nobody has looked at the budget since it or its pods changed: come back. */
export function stillProcessed(budget: string): StatusError {
  return tooManyRequests(
    SUGGESTED_WAIT_SECONDS,
    `The disruption budget ${budget} is still being processed by the server.`,
  );
}

const tooManyRequests = (retryAfterSeconds: number, message: string): StatusError =>
  new StatusError(429, 'TooManyRequests', REFUSAL, {
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
    causes: [{ reason: 'DisruptionBudget', message }],
  });

const forbidden = (name: string, text: string): StatusError =>
  new StatusError(403, 'Forbidden', `poddisruptionbudgets.policy "${name}" is forbidden: ${text}`, {
    ...budgetResource,
    name,
  });
