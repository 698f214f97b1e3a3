import {
  deployments,
  replicasets,
  replicationcontrollers,
  statefulsets,
} from '../../shared/api/generated/resources.js';
import type { OwnerReference } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { controllerOf } from '../../shared/api/owner.js';
import type { InformerFactory } from '../../shared/cache/informer-factory.js';
import type { Informer, Lister } from '../../shared/cache/informer.js';
import type { Client } from '../../shared/client/client.js';
import { DiscoveryReader, type DiscoveredResource } from '../../shared/client/discovery.js';
import { isNotFound } from '../../shared/errors/status-error.js';

/** The controller behind a pod, and how many pods it asks for. */
export interface ControllerScale {
  readonly uid: string;
  readonly replicas: number;
}

type Scaled = KubernetesObject & { readonly spec?: { readonly replicas?: number } };

/** Finds out how many pods the controller of a pod asks for: from the caches for the built-in kinds, else by its scale subresource. */
export class ControllerScales {
  readonly informers: readonly Pick<Informer<KubernetesObject>, 'waitForSync'>[];
  readonly #client: Client;
  readonly #discovery: DiscoveryReader;
  readonly #replicaSets: Lister<Scaled>;
  readonly #deployments: Lister<Scaled>;
  /** By kind and groups. */
  readonly #direct: ReadonlyMap<string, Lister<Scaled>>;

  constructor(client: Client, informers: InformerFactory) {
    this.#client = client;
    this.#discovery = new DiscoveryReader(client);
    const sets = informers.informer(replicasets);
    const rollouts = informers.informer(deployments);
    const controllers = informers.informer(replicationcontrollers);
    const stateful = informers.informer(statefulsets);
    this.informers = [sets, rollouts, controllers, stateful];
    this.#replicaSets = sets.lister;
    this.#deployments = rollouts.lister;
    this.#direct = new Map<string, Lister<Scaled>>([
      ['/ReplicationController', controllers.lister],
      ['apps/StatefulSet', stateful.lister],
    ]);
  }

  /** Undefined: the controller is gone. @throws Error where its kind is not served or has no scale. */
  async of(reference: OwnerReference, namespace: string, signal: AbortSignal): Promise<ControllerScale | undefined> {
    return this.#cached(reference, namespace) ?? (await this.#asked(reference, namespace, signal));
  }

  #cached(reference: OwnerReference, namespace: string): ControllerScale | undefined {
    const { kind } = reference;
    const group = groupOf(reference);
    if (kind === 'ReplicaSet' && isWorkloadGroup(group)) return this.#ofReplicaSet(reference, namespace);
    return scaleOf(this.#direct.get(`${group}/${kind}`), reference, namespace);
  }

  /** That of its Deployment, where it has one. */
  #ofReplicaSet(reference: OwnerReference, namespace: string): ControllerScale | undefined {
    const set = this.#replicaSets.get(`${namespace}/${reference.name}`);
    if (set?.metadata.uid !== reference.uid) return undefined;
    const owner = controllerOf(set);
    if (owner?.kind !== 'Deployment') return { uid: reference.uid, replicas: set.spec?.replicas ?? 1 };
    return isWorkloadGroup(groupOf(owner)) ? scaleOf(this.#deployments, owner, namespace) : undefined;
  }

  async #asked(
    reference: OwnerReference,
    namespace: string,
    signal: AbortSignal,
  ): Promise<ControllerScale | undefined> {
    const { resource, subresources } = await this.#served(reference, signal);
    try {
      const options = { subresource: 'scale', signal };
      const scale: Scaled = await this.#client.get(resource, reference.name, namespace, options);
      return isSame(scale, reference) ? { uid: reference.uid, replicas: scale.spec?.replicas ?? 0 } : undefined;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (subresources.includes('scale')) return undefined;
      const name = resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
      throw new Error(`${name} does not implement the scale subresource`, { cause: error });
    }
  }

  async #served(reference: OwnerReference, signal: AbortSignal): Promise<DiscoveredResource> {
    const { resources } = await this.#discovery.read(signal);
    const { apiVersion, kind } = reference;
    const found = resources.find(({ resource }) => resource.apiVersion === apiVersion && resource.kind === kind);
    if (!found) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
    return found;
  }
}

const groupOf = ({ apiVersion }: OwnerReference): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
const isWorkloadGroup = (group: string): boolean => group === 'apps' || group === 'extensions';
const isSame = (object: KubernetesObject, { uid }: OwnerReference): boolean => object.metadata.uid === uid;

function scaleOf(
  lister: Lister<Scaled> | undefined,
  reference: OwnerReference,
  namespace: string,
): ControllerScale | undefined {
  const found = lister?.get(`${namespace}/${reference.name}`);
  return found && isSame(found, reference) ? { uid: reference.uid, replicas: found.spec?.replicas ?? 1 } : undefined;
}
