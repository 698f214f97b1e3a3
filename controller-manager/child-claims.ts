import type { Resource } from '../shared/api/resource.js';
import type { KubernetesObject } from '../shared/api/object.js';
import { controllerOf, controllerReference } from '../shared/api/owner.js';
import { matchesSelector, type Selector } from '../shared/api/selector.js';
import type { Client } from '../shared/client/client.js';
import { liveObject } from '../shared/client/live-object.js';
import { isInvalid, isNotFound } from '../shared/errors/status-error.js';

/** What to do about one candidate child of an owner. */
export type Claim = 'keep' | 'adopt' | 'release' | 'ignore';

/**
 * Whether `child` belongs to `owner` (Kubernetes' ControllerRef rules): children of others are ignored, own ones that
 * stopped matching are released, orphans that match are adopted, unless either is being deleted.
 */
export function claimOf(owner: KubernetesObject, selector: Selector, child: KubernetesObject): Claim {
  const controller = controllerOf(child);
  const matches = matchesSelector(selector, child.metadata.labels);
  if (controller) {
    if (controller.uid !== owner.metadata.uid) return 'ignore';
    if (matches) return 'keep';
    return owner.metadata.deletionTimestamp ? 'ignore' : 'release';
  }
  if (!matches || owner.metadata.deletionTimestamp || child.metadata.deletionTimestamp) return 'ignore';
  return owner.metadata.namespace === child.metadata.namespace ? 'adopt' : 'ignore';
}

export interface ClaimOptions<P extends KubernetesObject, C extends KubernetesObject> {
  readonly client: Client;
  readonly owner: P;
  readonly ownerResource: Resource<P>;
  readonly childResource: Resource<C>;
  readonly selector: Selector;
  readonly signal: AbortSignal;
}

/** The children of an owner among the candidates, after adopting and releasing. */
export async function claimChildren<P extends KubernetesObject, C extends KubernetesObject>(
  candidates: readonly C[],
  options: ClaimOptions<P, C>,
): Promise<C[]> {
  const { owner, selector } = options;
  const claimed: C[] = [];
  let mayAdopt: boolean | undefined;
  for (const child of candidates) {
    const claim = claimOf(owner, selector, child);
    if (claim === 'keep') claimed.push(child);
    else if (claim === 'release') await release(child, options);
    else if (claim === 'adopt') {
      mayAdopt ??= await isAlive(options);
      if (mayAdopt && (await adopt(child, options))) claimed.push(child);
    }
  }
  return claimed;
}

/** Asks the server: an owner deleted meanwhile must not adopt what its deletion orphaned. */
async function isAlive<P extends KubernetesObject, C extends KubernetesObject>(
  options: ClaimOptions<P, C>,
): Promise<boolean> {
  const { client, owner, ownerResource, signal } = options;
  const { name, namespace, uid } = owner.metadata;
  const live = await liveObject(client, ownerResource, name, namespace, signal);
  return live?.metadata.uid === uid && !live?.metadata.deletionTimestamp;
}

async function adopt<P extends KubernetesObject, C extends KubernetesObject>(
  child: C,
  options: ClaimOptions<P, C>,
): Promise<boolean> {
  const { owner, ownerResource } = options;
  const ownerReferences = [controllerReference(owner, ownerResource)];
  return patchChild(child, { ownerReferences, uid: child.metadata.uid }, options);
}

async function release<P extends KubernetesObject, C extends KubernetesObject>(
  child: C,
  options: ClaimOptions<P, C>,
): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: options.owner.metadata.uid }];
  await patchChild(child, { ownerReferences, uid: child.metadata.uid }, options);
}

/** False when the child is gone, or is another one by now (the uid in the patch is a precondition). */
async function patchChild<P extends KubernetesObject, C extends KubernetesObject>(
  child: C,
  metadata: object,
  options: ClaimOptions<P, C>,
): Promise<boolean> {
  const { client, childResource, signal } = options;
  const { name, namespace } = child.metadata;
  try {
    await client.patch(childResource, name, namespace, 'strategic', { metadata }, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error) || isInvalid(error)) return false;
    throw error;
  }
}
