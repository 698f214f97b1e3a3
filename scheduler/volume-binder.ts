import { persistentvolumeclaims, persistentvolumes } from '../shared/api/generated/resources.js';
import type { PersistentVolume, PersistentVolumeClaim } from '../shared/api/generated/types.js';
import { ANNOTATION_BOUND_BY_CONTROLLER, ANNOTATION_SELECTED_NODE } from '../shared/api/well-known.js';
import type { Client } from '../shared/client/client.js';
import type { VolumeCatalog, VolumeDecision } from './volume-catalog.js';

/**
 * Writes down what was decided for claims that wait for their first consumer: volumes get the claim that they are for, claims the
 * node for which a volume is to be made. The controller of volumes does the rest; when the claims are bound, the pod is.
 */
export class VolumeBinder {
  readonly #client: Client;
  readonly #catalog: VolumeCatalog;

  constructor(client: Client, catalog: VolumeCatalog) {
    this.#client = client;
    this.#catalog = catalog;
  }

  /** Nobody else gets the volumes meanwhile. Rejects when the cluster has moved on; what was written stays and is true. */
  async bind(decision: VolumeDecision): Promise<void> {
    this.#catalog.promise(decision);
    try {
      for (const { claim, volume } of decision.bindings) await this.#promise(volume, claim);
      for (const claim of decision.provisions) await this.#select(claim, decision.node);
    } finally {
      this.#catalog.settle(decision);
    }
  }

  async #promise(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const { name, namespace, uid, resourceVersion } = claim.metadata;
    const { claimRef } = volume.spec;
    if (claimRef?.uid === uid) return;
    const reference = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion };
    // A volume that a person promised to the claim stays promised when it is released.
    const annotations: Record<string, string> = claimRef ? {} : { [ANNOTATION_BOUND_BY_CONTROLLER]: 'yes' };
    await this.#client.update(persistentvolumes, {
      ...volume,
      metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...annotations } },
      spec: { ...volume.spec, claimRef: { ...claimRef, ...reference } },
    });
  }

  async #select(claim: PersistentVolumeClaim, node: string): Promise<void> {
    const { annotations } = claim.metadata;
    if (annotations?.[ANNOTATION_SELECTED_NODE] === node) return;
    await this.#client.update(persistentvolumeclaims, {
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...annotations, [ANNOTATION_SELECTED_NODE]: node } },
    });
  }
}
