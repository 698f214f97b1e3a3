import { isNotFound } from '../shared/errors/status-error.js';
import type { MergeSchema } from '../shared/patch/merge-schema.js';
import type { ResourceType } from './resource-mapper.js';

/** A schema of the OpenAPI v3 document, as far as the commands read it. */
export interface Schema {
  type?: string;
  format?: string;
  description?: string;
  $ref?: string;
  allOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  enum?: unknown[];
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

interface Document {
  paths?: Record<string, { patch?: { requestBody?: { content?: Record<string, unknown> } } }>;
  components?: { schemas?: Record<string, Schema> };
}

/** The server's OpenAPI v3 documents, each fetched once. */
export class OpenApi {
  readonly #fetch: (path: string) => Promise<unknown>;
  readonly #documents = new Map<string, Promise<Document>>();

  constructor(fetch: (path: string) => Promise<unknown>) {
    this.#fetch = fetch;
  }

  /** How lists of a type merge; undefined when the type takes no strategic merge patches (custom resources). */
  async strategicSchema(type: ResourceType): Promise<PatchSchema | undefined> {
    const document = await this.#document(type);
    const path = `${type.basePath}${type.namespaced ? '/namespaces/{namespace}' : ''}/${type.resource}/{name}`;
    const forms = document.paths?.[path]?.patch?.requestBody?.content ?? {};
    const schema = schemaOf(document, type);
    const isStrategic = 'application/strategic-merge-patch+json' in forms;
    return isStrategic && schema ? new PatchSchema(document, schema) : undefined;
  }

  /** Names of the fields that an object may have at a path. */
  async fieldNames(type: ResourceType, path: readonly (string | number)[]): Promise<string[]> {
    const found = await this.schemaAt(type, path);
    return Object.keys(found?.properties ?? {});
  }

  /** The schema at a path; list items and map values are stepped into by index and key. */
  async schemaAt(type: ResourceType, path: readonly (string | number)[]): Promise<Schema | undefined> {
    const document = await this.#document(type);
    let schema: Schema | undefined = resolved(document, schemaOf(document, type));
    for (const step of path) {
      if (schema === undefined) return undefined;
      const next: Schema | undefined =
        typeof step === 'number'
          ? schema.items
          : (schema.properties?.[step] ??
            (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined));
      schema = resolved(document, next);
    }
    return schema;
  }

  /** Follows a reference inside the document of a type. */
  async resolve(type: ResourceType, schema: Schema): Promise<Schema> {
    return resolved(await this.#document(type), schema) ?? schema;
  }

  #document(type: ResourceType): Promise<Document> {
    const path = `/openapi/v3${type.basePath}`;
    const known =
      this.#documents.get(path) ??
      (this.#fetch(path) as Promise<Document>).catch((error: unknown): Document => {
        if (isNotFound(error)) return {};
        throw error;
      });
    this.#documents.set(path, known);
    return known;
  }
}

function schemaOf(document: Document, type: ResourceType): Schema | undefined {
  return Object.values(document.components?.schemas ?? {}).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      (gvk) => gvk.group === type.group && gvk.version === type.version && gvk.kind === type.kind,
    ),
  );
}

/** The schema that a reference names, with what stands beside the reference. */
function resolved(document: Document, schema: Schema | undefined): Schema | undefined {
  if (!schema) return undefined;
  const reference = schema.$ref ?? schema.allOf?.find((part) => part.$ref)?.$ref;
  if (reference === undefined) return schema;
  const target = document.components?.schemas?.[reference.split('/').at(-1) ?? ''];
  return { ...target, ...(schema.description ? { description: schema.description } : {}) };
}

/** How one value is merged by a strategic merge patch, as the server publishes it. */
export class PatchSchema implements MergeSchema {
  readonly #document: Document;
  /** As it stands in its parent: strategy and merge key are the field's, not the type's. */
  readonly #schema: Schema;

  constructor(document: Document, schema: Schema) {
    this.#document = document;
    this.#schema = schema;
  }

  get mergeKey(): string | undefined {
    return this.#schema['x-kubernetes-patch-merge-key'];
  }

  get isMergedList(): boolean {
    return this.#strategies.includes('merge');
  }

  get isReplaced(): boolean {
    return this.#strategies.includes('replace');
  }

  get retainsKeys(): boolean {
    return this.#strategies.includes('retainKeys');
  }

  get #strategies(): string[] {
    return (this.#schema['x-kubernetes-patch-strategy'] ?? '').split(',');
  }

  /** The schema of a field of this object, or of the objects in this list. */
  field(name: string): PatchSchema | undefined {
    const self = resolved(this.#document, this.#schema);
    const object = self?.items ? resolved(this.#document, self.items) : self;
    const field =
      object?.properties?.[name] ??
      (typeof object?.additionalProperties === 'object' ? object.additionalProperties : undefined);
    return field ? new PatchSchema(this.#document, field) : undefined;
  }
}
