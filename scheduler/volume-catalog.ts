import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../shared/api/generated/types.js';
import { objectKey } from '../shared/api/object.js';
import type { Lister } from '../shared/cache/informer.js';
import { ANNOTATION_SELECTED_NODE } from '../shared/api/well-known.js';

/** Caches of what volumes are made of. */
export interface VolumeListers {
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
}

/** What was decided for the claims of one pod that wait for their first consumer. */
export interface VolumeDecision {
  readonly node: string;
  /** Volumes that exist and shall be the claims'. */
  readonly bindings: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims for which a provisioner shall make a volume that the node can use. */
  readonly provisions: readonly PersistentVolumeClaim[];
}

/**
 * Claims, volumes and classes as the caches know them, with what was decided here and is not in the caches yet: two claims
 * never get the same volume.
 */
export class VolumeCatalog {
  readonly #listers: VolumeListers;
  /** Volume -> key of the claim that gets it. */
  readonly #promised = new Map<string, string>();
  /** Key of a claim -> node that its provisioner is told. */
  readonly #selected = new Map<string, string>();

  constructor(listers: VolumeListers) {
    this.#listers = listers;
  }

  claim(key: string): PersistentVolumeClaim | undefined {
    return this.#listers.claims.get(key);
  }

  volume(name: string): PersistentVolume | undefined {
    return this.#listers.volumes.get(name);
  }

  storageClass(name: string): StorageClass | undefined {
    return this.#listers.classes.get(name);
  }

  /** Volumes that are not promised to another claim. */
  volumesFor(claim: PersistentVolumeClaim): readonly PersistentVolume[] {
    const volumes = this.#listers.volumes.list();
    if (this.#promised.size === 0) return volumes;
    return volumes.filter(
      ({ metadata }) => (this.#promised.get(metadata.name) ?? objectKey(claim)) === objectKey(claim),
    );
  }

  /** The node for which a volume is being made. */
  selectedNode(claim: PersistentVolumeClaim): string | undefined {
    return this.#selected.get(objectKey(claim)) ?? claim.metadata.annotations?.[ANNOTATION_SELECTED_NODE];
  }

  promise({ node, bindings, provisions }: VolumeDecision): void {
    for (const { claim, volume } of bindings) this.#promised.set(volume.metadata.name, objectKey(claim));
    for (const claim of provisions) this.#selected.set(objectKey(claim), node);
  }

  /** The decision was written, or could not be: from now on the caches tell. */
  settle({ bindings, provisions }: VolumeDecision): void {
    for (const { volume } of bindings) this.#promised.delete(volume.metadata.name);
    for (const claim of provisions) this.#selected.delete(objectKey(claim));
  }
}
