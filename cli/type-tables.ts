import * as resources from '../shared/api/generated/resources.js';
import type { Resource } from '../shared/api/resource.js';
import { dataDirectory, readData } from '../shared/api/tables.js';
import type { MergeSchema } from '../shared/patch/merge-schema.js';

interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  /** An older version has the facts of the definition that it is derived from. */
  readonly derivedFrom?: string;
}
interface Facts {
  readonly listMapKeys?: readonly string[];
  readonly patchMergeKey?: string;
  readonly patchStrategy?: string;
}
type FieldFacts = Readonly<Record<string, Facts>>;

interface FactsFile {
  /** By definition and field. */
  readonly fields: Readonly<Record<string, FieldFacts>>;
}

interface Files {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly facts: FactsFile['fields'];
}

/** A built-in type, or a field as it stands in its parent: how it takes a patch. */
export interface TypeSchema extends MergeSchema {
  /** The names of all fields that tell the items of a list apart, as kustomize does; a patch goes by `mergeKey` alone. */
  readonly listKeys: readonly string[] | undefined;
  field(name: string): TypeSchema | undefined;
}

/** The tables of all built-in types, read on first use: no server is asked. */
export class TypeTables {
  #files: Files | undefined;

  /** Undefined for a custom resource. */
  typeOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): TypeSchema | undefined {
    const { olderResources, ...current } = resources;
    const known = [...Object.values(current), ...Object.values(olderResources)].find(
      (resource: Resource) => resource.kind === kind && resource.apiVersion === apiVersion,
    );
    return known?.definition === undefined ? undefined : this.definition(known.definition);
  }

  /** A type by its name in OpenAPI, e.g. `io.k8s.api.core.v1.Container`. */
  definition(name: string): TypeSchema {
    return this.#schema({ $ref: name }, {});
  }

  #schema(schema: Schema, { patchStrategy = '', patchMergeKey, listMapKeys }: Facts): TypeSchema {
    const strategies = patchStrategy.split(',');
    return {
      isMergedList: strategies.includes('merge'),
      isReplaced: strategies.includes('replace'),
      mergeKey: patchMergeKey,
      listKeys: listMapKeys ?? (patchMergeKey === undefined ? undefined : [patchMergeKey]),
      field: (name) => this.#field(schema.items ?? schema, name),
    };
  }

  #field({ $ref: definition, additionalProperties }: Schema, name: string): TypeSchema | undefined {
    if (additionalProperties) return this.#schema(additionalProperties, {});
    if (definition === undefined) return undefined;
    const field = this.#read().schemas[definition]?.properties?.[name];
    return field && this.#schema(field, this.#facts(definition)[name] ?? {});
  }

  #facts(definition: string): FieldFacts {
    const { schemas, facts } = this.#read();
    const newer = schemas[definition]?.derivedFrom;
    return facts[definition] ?? (newer === undefined ? {} : this.#facts(newer));
  }

  #read(): Files {
    if (this.#files) return this.#files;
    const directory = dataDirectory();
    return (this.#files = {
      schemas: readData(directory, 'schemas.json') as Readonly<Record<string, Schema>>,
      facts: (readData(directory, 'api-facts.json') as FactsFile).fields,
    });
  }
}
