import { persistentvolumeclaims, persistentvolumes, pods } from '../../shared/api/generated/resources.js';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../shared/api/generated/types.js';
import { objectKey, type KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';

/** The claims that a pod names, and those that are made for it. */
function claimsOf({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [`${metadata.namespace ?? ''}/${volume.persistentVolumeClaim.claimName}`];
    return volume.ephemeral ? [`${metadata.namespace ?? ''}/${metadata.name}-${volume.name}`] : [];
  });
}

/** A deleted claim stays until no scheduled pod names it any more. */
export const claimProtectionController: ControllerDefinition = {
  name: 'persistentvolumeclaim-protection-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('pvc-protection-controller');
    const claims = context.informers.informer(persistentvolumeclaims);
    const podInformer = context.informers.informer(pods, { indexes: { claim: claimsOf } });
    const controller = newController(context, {
      name: 'pvcprotection',
      informers: [claims, podInformer],
      workers: 2,
      reconcile: async (key, signal) => {
        const claim = claims.lister.get(key);
        if (!claim) return;
        // A pod without a node will not get one while its claim is being deleted.
        const isUser = (pod: Pod): boolean => pod.spec?.nodeName !== undefined && claimsOf(pod).includes(key);
        // The informer may be behind: a pod that was bound before the claim was deleted may not have been told yet.
        const isUsed = async (): Promise<boolean> =>
          podInformer.lister.byIndex('claim', key).some(isUser) ||
          (await client.list(pods, { namespace: claim.metadata.namespace ?? '', signal })).items.some(isUser);
        await protect(client, persistentvolumeclaims, claim, claimFinalizer, isUsed, signal);
      },
    });
    claims.addHandler({
      onAdd: (claim) => controller.queue.add(objectKey(claim)),
      onUpdate: (_, claim) => controller.queue.add(objectKey(claim)),
    });
    podInformer.addHandler({
      onUpdate: (previous, pod) => {
        for (const key of [...claimsOf(previous), ...claimsOf(pod)]) controller.queue.add(key);
      },
      onDelete: (pod) => claimsOf(pod).forEach((key) => controller.queue.add(key)),
    });
    return controller;
  },
};

/** A deleted volume stays while it is bound to a claim. */
export const volumeProtectionController: ControllerDefinition = {
  name: 'persistentvolume-protection-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('pv-protection-controller');
    const volumes = context.informers.informer(persistentvolumes);
    const controller = newController(context, {
      name: 'pvprotection',
      informers: [volumes],
      workers: 2,
      reconcile: async (key, signal) => {
        const volume = volumes.lister.get(key);
        if (!volume) return;
        const isUsed = (): Promise<boolean> => Promise.resolve(volume.status?.phase === 'Bound');
        await protect(client, persistentvolumes, volume, volumeFinalizer, isUsed, signal);
      },
    });
    volumes.addHandler({
      onAdd: ({ metadata }) => controller.queue.add(metadata.name),
      onUpdate: (_, { metadata }) => controller.queue.add(metadata.name),
    });
    return controller;
  },
};

/** Takes the finalizer away where a deleted object is used no more, and gives it to what came without. */
async function protect<T extends (PersistentVolumeClaim | PersistentVolume) & KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  isUsed: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const has = finalizers.includes(finalizer);
  if (deletionTimestamp === undefined ? has : !has || (await isUsed())) return;
  const kept = finalizers.filter((one) => one !== finalizer);
  const next = deletionTimestamp === undefined ? [...finalizers, finalizer] : kept;
  try {
    await client.update(resource, { ...object, metadata: { ...object.metadata, finalizers: next } }, { signal });
  } catch (error) {
    // What has changed meanwhile comes again.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
