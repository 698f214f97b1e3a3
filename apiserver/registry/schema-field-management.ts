import type { KubernetesObject } from '../../shared/api/object.js';
import type { Manager } from '../apply/managed-fields.js';
import { serverSideApply } from '../apply/server-side-apply.js';
import { trackUpdate } from '../apply/track-update.js';
import type { JsonObject } from '../schema/json.js';
import type { StructType } from '../schema/schema-type.js';
import type { Schemas } from '../schema/schemas.js';
import type { ResourceDefinition } from './definition.js';
import type { FieldManagement, FieldManagementRequest } from './field-management.js';

type Json = JsonObject;
type ManagedFields = NonNullable<KubernetesObject['metadata']['managedFields']>;

/** managedFields along the structure of the kinds; kinds without one are not tracked. */
export class SchemaFieldManagement implements FieldManagement {
  readonly #schemas: Schemas;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  trackUpdate(request: FieldManagementRequest, old: KubernetesObject | undefined, next: KubernetesObject): void {
    const type = this.#type(request.definition);
    if (!type) return;
    // Fields are owned as the version of the request names them.
    const { storedAs } = request.definition;
    const show = (object: KubernetesObject): KubernetesObject =>
      storedAs ? storedAs.fromStored(structuredClone(object)) : object;
    const entries = trackUpdate(
      (old && show(old)) as unknown as Json | undefined,
      show(next) as unknown as Json,
      type,
      managerOf(request),
      resetFields(request),
    );
    setEntries(next, entries as unknown as ManagedFields);
  }

  apply(
    request: FieldManagementRequest & { readonly force: boolean },
    live: KubernetesObject | undefined,
    applied: KubernetesObject,
  ): KubernetesObject {
    const type = this.#type(request.definition);
    if (!type) return applied;
    const result = serverSideApply(live as unknown as Json | undefined, applied as unknown as Json, type, {
      ...managerOf(request),
      force: request.force,
      resetFields: resetFields(request),
    });
    const next = result.object as unknown as KubernetesObject;
    if (result.isChanged) setEntries(next, result.managedFields as unknown as ManagedFields);
    return next;
  }

  #type({ resource, custom }: ResourceDefinition): StructType | undefined {
    if (custom) return custom.structure;
    return resource.definition === undefined ? undefined : this.#schemas.type(resource.definition);
  }
}

const managerOf = ({ definition, manager, subresource, time }: FieldManagementRequest): Manager => ({
  manager,
  apiVersion: definition.resource.apiVersion,
  subresource,
  time,
});

/** A write of the object itself owns nothing of a status that it cannot change. */
function resetFields({ definition, subresource }: FieldManagementRequest): readonly string[] {
  return subresource === '' && definition.subresources.includes('status') ? ['status'] : [];
}

function setEntries(object: KubernetesObject, entries: ManagedFields): void {
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}
