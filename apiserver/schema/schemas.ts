import { dataDirectory, readData } from '../../shared/api/tables.js';
import { compileStruct } from './compile.js';
import type { StructType } from './schema-type.js';

/** One definition or property as generated: `$ref` is a bare definition name. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** An older version has the facts of the definition that it is derived from. */
  readonly derivedFrom?: string;
}

/** What the structure alone does not tell about a field; under `*`, about the type itself. */
export interface FieldFacts {
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
}

export interface ResourceFacts {
  /** `VERSION/KIND` or `GROUP/VERSION/KIND`. */
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface FactsFile {
  readonly fields: Record<string, Record<string, FieldFacts>>;
  readonly resources: Record<string, ResourceFacts>;
}

/** The structure of every built-in type. Types compile on first use; descriptions are read only when asked for. */
export class Schemas {
  /** Where the tables lie. */
  readonly directory: string;
  readonly #definitions: Readonly<Record<string, JsonSchema>>;
  readonly #facts: FactsFile;
  readonly #compiled = new Map<string, StructType>();
  #descriptions: Record<string, Record<string, string>> | undefined;

  constructor(directory: string) {
    this.directory = directory;
    this.#definitions = readData(directory, 'schemas.json') as Record<string, JsonSchema>;
    this.#facts = readData(directory, 'api-facts.json') as FactsFile;
  }

  /** Names of all definitions. */
  definitions(): string[] {
    return Object.keys(this.#definitions);
  }

  /** The generated schema of a definition, without descriptions. */
  raw(definition: string): JsonSchema | undefined {
    return Object.hasOwn(this.#definitions, definition) ? this.#definitions[definition] : undefined;
  }

  facts(definition: string): Readonly<Record<string, FieldFacts>> {
    const own = this.#facts.fields[definition];
    const newer = this.raw(definition)?.derivedFrom;
    return own ?? (newer === undefined ? {} : this.facts(newer));
  }

  /** Facts by `GROUP/VERSION/RESOURCE[/SUBRESOURCE]`; the core group is ''. */
  resourceFacts(): Readonly<Record<string, ResourceFacts>> {
    return this.#facts.resources;
  }

  /** Description of a field, or of the type itself without one. */
  description(definition: string, field = ''): string {
    this.#descriptions ??= readData(this.directory, 'descriptions.json') as Record<string, Record<string, string>>;
    return this.#descriptions[definition]?.[field] ?? '';
  }

  /** The structure of a definition. Throws on an unknown one: definitions come from our own tables. */
  type(definition: string): StructType {
    const known = this.#compiled.get(definition);
    if (known) return known;
    if (!this.raw(definition)) throw new Error(`no schema is known for ${definition}`);
    return compileStruct(definition, this, this.#compiled);
  }
}

/** Reads the tables from `directory`, by default the nearest generated ones above this file. */
export function loadSchemas(directory: string = dataDirectory()): Schemas {
  return new Schemas(directory);
}
