import { deployments, replicasets } from '../../shared/api/generated/resources.js';
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../shared/api/generated/types.js';
import { stableJson } from '../../shared/api/hash.js';
import { controllerReference, isControlledBy } from '../../shared/api/owner.js';
import { isPodTerminal } from '../../shared/api/pod.js';
import { selectorOf } from '../../shared/api/selector.js';
import { ANNOTATION_DEPLOYMENT_REVISION, LABEL_POD_TEMPLATE_HASH } from '../../shared/api/well-known.js';
import type { Lister } from '../../shared/cache/informer.js';
import type { Client } from '../../shared/client/client.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { ReconcileResult } from '../../shared/controller/reconciler.js';
import { isAlreadyExists, isNotFound } from '../../shared/errors/status-error.js';
import { claimChildren } from '../child-claims.js';
import type { ControllerContext } from '../context.js';
import { isTerminatingNamespace } from '../namespace-state.js';
import { candidatesOf } from '../pod-owner-index.js';
import { isSameStatus } from '../status-equality.js';
import { progressDeadlineSeconds } from './deployment-fields.js';
import { progressing, withCondition } from './deployment-status.js';
import { planRollout, type RolloutPlan } from './plan-rollout.js';
import { templateText } from './revision.js';
import { templateHash, type WorkingReplicaSet } from './rollout-model.js';

/** What the reconciler reads. */
export interface DeploymentCaches {
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly pods: Lister<Pod>;
}

/** Carries out the steps of {@link planRollout}. */
export class DeploymentReconciler {
  readonly #context: ControllerContext;
  readonly #caches: DeploymentCaches;
  readonly #client: Client;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext, caches: DeploymentCaches) {
    this.#context = context;
    this.#caches = caches;
    this.#client = context.client('deployment-controller');
    this.#recorder = context.recorder('deployment-controller');
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const deployment = this.#caches.deployments.get(key);
    if (!deployment) return;
    if (stableJson(deployment.spec?.selector) === '{}') return this.#refuse(deployment, signal);
    const replicaSets = await claimChildren(candidatesOf(this.#caches.replicaSets, deployment), {
      client: this.#client,
      owner: deployment,
      ownerResource: deployments,
      childResource: replicasets,
      selector: selectorOf(deployment.spec?.selector),
      signal,
    });
    const plan = planRollout({
      deployment,
      replicaSets,
      hasOldPods: (current) => this.#hasOldPods(replicaSets, current),
      nowMs: this.#context.clock.now(),
    });
    await this.#execute(deployment, plan, signal);
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #refuse(deployment: Deployment, signal: AbortSignal): Promise<void> {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.';
    this.#recorder.event(deployment, 'Warning', 'SelectingAll', message);
    const { generation = 0 } = deployment.metadata;
    if ((deployment.status?.observedGeneration ?? 0) < generation) {
      await this.#writeStatus(deployment, { ...deployment.status, observedGeneration: generation }, signal);
    }
  }

  #hasOldPods(replicaSets: readonly ReplicaSet[], current: ReplicaSet | undefined): boolean {
    return replicaSets
      .filter((replicaSet) => replicaSet !== current)
      .some(({ metadata }) => this.#caches.pods.byIndex('controller', metadata.uid).some((pod) => !isPodTerminal(pod)));
  }

  async #execute(deployment: Deployment, plan: RolloutPlan, signal: AbortSignal): Promise<void> {
    if (plan.create && !(await this.#create(deployment, plan.create, signal))) return;
    for (const replicaSet of plan.update) await this.#update(deployment, replicaSet, signal);
    for (const replicaSet of plan.remove) await this.#remove(replicaSet, signal);
    await this.#writeRevision(deployment, plan.revision, signal);
    await this.#writeStatus(deployment, plan.status, signal);
  }

  /** False when the namespace is going away and there is nothing more to do. */
  async #create(deployment: Deployment, planned: WorkingReplicaSet, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.create(replicasets, newReplicaSet(deployment, planned), { signal });
    } catch (error) {
      if (isAlreadyExists(error)) {
        await this.#resolveCollision(deployment, planned, signal);
        return true;
      }
      if (isTerminatingNamespace(error)) return false;
      if (!signal.aborted) await this.#reportFailedCreate(deployment, planned, error as Error, signal);
      throw error;
    }
    if (planned.replicas > 0) {
      const message = `Scaled up replica set ${planned.name} from 0 to ${planned.replicas}`;
      this.#recorder.event(deployment, 'Normal', 'ScalingReplicaSet', message);
    }
    return true;
  }

  /** The name is taken: by our own creation that the cache does not show yet, or by another template with the same hash. */
  async #resolveCollision(deployment: Deployment, planned: WorkingReplicaSet, signal: AbortSignal): Promise<void> {
    const { namespace } = deployment.metadata;
    const holder = await this.#client.get(replicasets, planned.name, namespace, { signal });
    const isSame = templateText(holder.spec?.template) === templateText(deployment.spec?.template);
    if (isControlledBy(holder, deployment) && isSame) return;
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await this.#writeStatus(deployment, { ...deployment.status, collisionCount }, signal);
    throw new Error(`hash collision on ReplicaSet ${planned.name}: trying another name`);
  }

  async #reportFailedCreate(
    deployment: Deployment,
    planned: WorkingReplicaSet,
    error: Error,
    signal: AbortSignal,
  ): Promise<void> {
    const message = `Failed to create new replica set "${planned.name}": ${error.message}`;
    this.#recorder.event(deployment, 'Warning', 'ReplicaSetCreateError', message);
    if (progressDeadlineSeconds(deployment) === undefined) return;
    const condition = progressing('False', 'ReplicaSetCreateError', message);
    const conditions = withCondition(deployment.status?.conditions ?? [], condition, this.#context.clock.now());
    await this.#writeStatus(deployment, { ...deployment.status, conditions: [...conditions] }, signal);
  }

  async #update(deployment: Deployment, planned: WorkingReplicaSet, signal: AbortSignal): Promise<void> {
    const { source } = planned;
    if (!source) return;
    const { name, namespace, resourceVersion } = source.metadata;
    const { replicas, minReadySeconds, annotations } = planned;
    const patch = { metadata: { resourceVersion, annotations }, spec: { replicas, minReadySeconds } };
    await this.#client.patch(replicasets, name, namespace, 'merge', patch, { signal });
    const before = source.spec?.replicas ?? 1;
    if (before === replicas) return;
    const direction = replicas > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${name} from ${before} to ${replicas}`;
    this.#recorder.event(deployment, 'Normal', 'ScalingReplicaSet', message);
  }

  async #remove(replicaSet: ReplicaSet, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid, resourceVersion } = replicaSet.metadata;
    try {
      await this.#client.delete(replicasets, name, namespace, { preconditions: { uid, resourceVersion }, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #writeRevision(deployment: Deployment, revision: string | undefined, signal: AbortSignal): Promise<void> {
    const { name, namespace, annotations } = deployment.metadata;
    if (revision === undefined || annotations?.[ANNOTATION_DEPLOYMENT_REVISION] === revision) return;
    const patch = { metadata: { annotations: { [ANNOTATION_DEPLOYMENT_REVISION]: revision } } };
    await this.#client.patch(deployments, name, namespace, 'merge', patch, { signal });
  }

  async #writeStatus(deployment: Deployment, status: DeploymentStatus, signal: AbortSignal): Promise<void> {
    if (isSameStatus(deployment.status, status)) return;
    const { name, namespace } = deployment.metadata;
    try {
      await this.#client.patch(deployments, name, namespace, 'merge', { status }, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** The ReplicaSet for the Deployment's template, told apart by the template's hash in name, labels and selector. */
function newReplicaSet(
  deployment: Deployment,
  planned: WorkingReplicaSet,
): { metadata: Partial<ReplicaSet['metadata']>; spec: NonNullable<ReplicaSet['spec']> } {
  const hash = { [LABEL_POD_TEMPLATE_HASH]: templateHash(deployment) };
  const template = deployment.spec?.template ?? { spec: { containers: [] } };
  const labels = { ...template.metadata?.labels, ...hash };
  const selector = deployment.spec?.selector;
  return {
    metadata: {
      name: planned.name,
      ...(deployment.metadata.namespace ? { namespace: deployment.metadata.namespace } : {}),
      labels,
      annotations: planned.annotations,
      ownerReferences: [controllerReference(deployment, deployments)],
    },
    spec: {
      replicas: planned.replicas,
      minReadySeconds: planned.minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, ...hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
