import { deployments, pods, replicasets } from '../../shared/api/generated/resources.js';
import type { Deployment, Pod, ReplicaSet } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { controllerOf } from '../../shared/api/owner.js';
import { matchesSelector, selectorOf } from '../../shared/api/selector.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Workqueue } from '../../shared/workqueue/workqueue.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { ownerIndexes } from '../pod-owner-index.js';
import { DeploymentReconciler } from './deployment-reconciler.js';

/** Rolls a Deployment's template out over ReplicaSets. */
export const deploymentController: ControllerDefinition = {
  name: 'deployment-controller',
  build: (context: ControllerContext): Runnable => {
    const deploymentInformer = context.informers.informer(deployments);
    const replicaSets = context.informers.informer(replicasets, { indexes: ownerIndexes });
    const podInformer = context.informers.informer(pods, { indexes: ownerIndexes });
    const reconciler = new DeploymentReconciler(context, {
      deployments: deploymentInformer.lister,
      replicaSets: replicaSets.lister,
      pods: podInformer.lister,
    });
    const controller = newController(context, {
      name: 'deployment',
      informers: [deploymentInformer, replicaSets, podInformer],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    watchDeployments(deploymentInformer, replicaSets, controller.queue);
    watchPods(replicaSets, podInformer, controller.queue);
    return controller;
  },
};

function watchDeployments(
  deploymentInformer: SharedInformer<Deployment>,
  replicaSets: SharedInformer<ReplicaSet>,
  queue: Workqueue,
): void {
  deploymentInformer.addHandler({
    onAdd: (deployment) => queue.add(objectKey(deployment)),
    onUpdate: (_, deployment) => queue.add(objectKey(deployment)),
    onDelete: (deployment) => queue.add(objectKey(deployment)),
  });
  const enqueueOwner = (replicaSet: ReplicaSet): boolean => {
    const owner = controllerOf(replicaSet);
    if (owner?.kind === 'Deployment') queue.add(`${replicaSet.metadata.namespace}/${owner.name}`);
    return owner !== undefined;
  };
  const onChange = (replicaSet: ReplicaSet): void => {
    if (enqueueOwner(replicaSet) || replicaSet.metadata.deletionTimestamp) return;
    for (const deployment of deploymentInformer.lister.listNamespace(replicaSet.metadata.namespace ?? '')) {
      if (matchesSelector(selectorOf(deployment.spec?.selector), replicaSet.metadata.labels)) {
        queue.add(objectKey(deployment));
      }
    }
  };
  replicaSets.addHandler({
    onAdd: onChange,
    onUpdate: (previous, replicaSet) => {
      if (controllerOf(previous)?.uid !== controllerOf(replicaSet)?.uid) enqueueOwner(previous);
      onChange(replicaSet);
    },
    onDelete: (replicaSet) => void enqueueOwner(replicaSet),
  });
}

/** Recreate waits for the end of old pods, which no ReplicaSet's status tells. */
function watchPods(replicaSets: SharedInformer<ReplicaSet>, podInformer: SharedInformer<Pod>, queue: Workqueue): void {
  podInformer.addHandler({
    onDelete: (pod) => {
      const replicaSet = controllerOf(pod);
      if (replicaSet?.kind !== 'ReplicaSet') return;
      const namespace = pod.metadata.namespace ?? '';
      const parent = replicaSets.lister.get(`${namespace}/${replicaSet.name}`);
      const owner = parent && controllerOf(parent);
      if (owner?.kind === 'Deployment') queue.add(`${namespace}/${owner.name}`);
    },
  });
}
