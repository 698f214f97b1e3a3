import type { KubernetesObject } from '../../shared/api/object.js';
import type { ResourceDefinition } from './definition.js';

export interface FieldManagementRequest {
  readonly definition: ResourceDefinition;
  readonly manager: string;
  readonly subresource: string;
  /** RFC 3339. */
  readonly time: string;
}

/** Keeps metadata.managedFields: who set which field. */
export interface FieldManagement {
  /**
   * Notes in `next` what this write changed against `old` (undefined on create). A promise only where somebody outside
   * must convert the object into the version by which another manager owns fields.
   */
  trackUpdate(
    request: FieldManagementRequest,
    old: KubernetesObject | undefined,
    next: KubernetesObject,
  ): void | Promise<void>;
  /** Merges an applied configuration into `live` (undefined: it does not exist yet). Throws 409 on a conflict without `force`. */
  apply(
    request: FieldManagementRequest & { readonly force: boolean },
    live: KubernetesObject | undefined,
    applied: KubernetesObject,
  ): KubernetesObject | Promise<KubernetesObject>;
}
