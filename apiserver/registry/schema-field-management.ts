import type { JsonObject } from '../../shared/api/json.js';
import { badRequest, excerpt } from '../../shared/errors/bad-request.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Manager } from '../apply/managed-fields.js';
import { serverSideApply } from '../apply/server-side-apply.js';
import { trackUpdate } from '../apply/track-update.js';
import type { Versions } from '../apply/versions.js';
import type { StructType } from '../schema/schema-type.js';
import type { Schemas } from '../schema/schemas.js';
import type { FormConversion, ResourceDefinition } from './definition.js';
import type { FieldManagement, FieldManagementRequest } from './field-management.js';
import { equivalentsOf, inVersion } from './versions.js';

type Json = JsonObject;
type ManagedFields = NonNullable<KubernetesObject['metadata']['managedFields']>;

/** managedFields along the structure of the kinds; kinds without one are not tracked. */
export class SchemaFieldManagement implements FieldManagement {
  readonly #schemas: Schemas;
  readonly #definitions: () => readonly ResourceDefinition[];

  /** `definitions`: all that is served now. */
  constructor(schemas: Schemas, definitions: () => readonly ResourceDefinition[]) {
    this.#schemas = schemas;
    this.#definitions = definitions;
  }

  trackUpdate(
    request: FieldManagementRequest,
    old: KubernetesObject | undefined,
    next: KubernetesObject,
  ): void | Promise<void> {
    const type = this.#type(request.definition);
    if (!type) return;
    // Fields are owned as the version of the request names them.
    const { storedAs } = request.definition;
    const show = (object: KubernetesObject): KubernetesObject =>
      storedAs ? storedAs.fromStored(structuredClone(object)) : object;
    const before = (old && show(old)) as unknown as Json | undefined;
    const after = show(next) as unknown as Json;
    return this.#withVersions(request.definition, (versions) => {
      const entries = trackUpdate(before, after, type, managerOf(request), resetFields(request), versions);
      setEntries(next, entries as unknown as ManagedFields);
    });
  }

  apply(
    request: FieldManagementRequest & { readonly force: boolean },
    live: KubernetesObject | undefined,
    applied: KubernetesObject,
  ): KubernetesObject | Promise<KubernetesObject> {
    checkKind(request.definition, applied as unknown as Json);
    const type = this.#type(request.definition);
    if (!type) return applied;
    return this.#withVersions(request.definition, (versions) => {
      const result = serverSideApply(live as unknown as Json | undefined, applied as unknown as Json, type, {
        ...managerOf(request),
        force: request.force,
        resetFields: resetFields(request),
        versions,
        isStoredAsSent: request.definition.custom !== undefined,
      });
      const next = result.object as unknown as KubernetesObject;
      if (result.isChanged) setEntries(next, result.managedFields as unknown as ManagedFields);
      return next;
    });
  }

  /**
   * Runs what needs an object in other versions. Where somebody outside converts, it runs again with each form that it
   * turned out to need: it is pure, and needs few.
   */
  #withVersions<T>(definition: ResourceDefinition, run: (versions: Versions) => T): T | Promise<T> {
    const forms = new OutsideForms();
    const versions: Versions = (object, apiVersion) => {
      const to = this.#inVersion(definition, apiVersion);
      const type = to && this.#type(to);
      if (!to || !type) return undefined;
      // Nothing is nothing in every version.
      if (Object.keys(object).length === 0) return { object, type };
      const from = this.#inVersion(definition, String(object['apiVersion'])) ?? definition;
      const { conversion } = to.custom ?? {};
      if (conversion && from !== to) return { object: forms.find(object, conversion, apiVersion), type };
      const given = object as unknown as KubernetesObject;
      return { object: inVersion(given, from, to) as unknown as Json, type };
    };
    return forms.complete(() => run(versions));
  }

  #inVersion(definition: ResourceDefinition, apiVersion: string): ResourceDefinition | undefined {
    if (definition.resource.apiVersion === apiVersion) return definition;
    const stored = definition.storedAs?.definition;
    if (stored?.resource.apiVersion === apiVersion) return stored;
    return equivalentsOf(definition, this.#definitions()).find(({ resource }) => resource.apiVersion === apiVersion);
  }

  #type({ resource, custom }: ResourceDefinition): StructType | undefined {
    if (custom) return custom.structure;
    return resource.definition === undefined ? undefined : this.#schemas.type(resource.definition);
  }
}

/** @throws StatusError 400 for a configuration of another kind or version than that of the path */
function checkKind({ resource }: ResourceDefinition, config: Json): void {
  const textOf = (name: string): string => (typeof config[name] === 'string' ? config[name] : '');
  const [apiVersion, kind] = [textOf('apiVersion'), textOf('kind')];
  if (apiVersion === resource.apiVersion && kind === resource.kind) return;
  const shown = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  throw badRequest(`invalid object type: ${excerpt(`${shown}, Kind=${kind}`, 512)}`);
}

/** A form of an object that must be asked for. */
class MissingForm extends Error {
  readonly object: Json;
  readonly key: string;
  readonly conversion: FormConversion;

  constructor(object: Json, key: string, conversion: FormConversion) {
    super('an object is not there in the version yet');
    this.object = object;
    this.key = key;
    this.conversion = conversion;
  }
}

/** An object that is tracked has at most so many forms: three states of it in as many versions as it has owners. */
const maxForms = 64;

/** What others have converted for one write. */
class OutsideForms {
  #known: Map<string, Json> | undefined;

  find(object: Json, conversion: FormConversion, apiVersion: string): Json {
    const key = `${apiVersion} ${JSON.stringify(object)}`;
    const known = this.#known?.get(key);
    if (!known) throw new MissingForm(object, key, conversion);
    return known;
  }

  complete<T>(run: () => T): T | Promise<T> {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof MissingForm) || (this.#known?.size ?? 0) >= maxForms) throw error;
      return this.#ask(error).then(() => this.complete(run));
    }
  }

  async #ask({ object, key, conversion }: MissingForm): Promise<void> {
    const form = (await conversion.toOwn(object as unknown as KubernetesObject)) as unknown as Json;
    (this.#known ??= new Map()).set(key, form);
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
