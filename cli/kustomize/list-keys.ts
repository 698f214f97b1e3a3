import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyObject } from '../server-api.js';
import { groupOf, versionOf } from './resource.js';

interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Facts {
  readonly listMapKeys?: readonly string[];
  readonly patchMergeKey?: string;
  readonly patchStrategy?: string;
}

interface FactsFile {
  /** By definition and field. */
  readonly fields: Readonly<Record<string, Readonly<Record<string, Facts>>>>;
}

/** A type of the API, as far as merging needs it: by what the items of its lists are told apart. */
export interface ListKeys {
  /** Type of a field, or of the items of that list. */
  field(name: string): ListKeys | undefined;
  /** Keys of the items of a list field that is merged item by item; undefined for one that is replaced. */
  keysOf(name: string): readonly string[] | undefined;
}

/** The tables of all built-in types: no server is asked. */
export class TypeTables {
  readonly #schemas = table('schemas.json') as Readonly<Record<string, Schema>>;
  readonly #facts = (table('api-facts.json') as FactsFile).fields;

  /** Undefined for a custom resource, whose lists are replaced. */
  typeOf(object: AnyObject): ListKeys | undefined {
    const group = groupOf(object).split('.')[0] || 'core';
    const end = `.${group}.${versionOf(object)}.${object.kind}`;
    const definition = Object.keys(this.#schemas).find((name) => name.endsWith(end));
    return definition === undefined ? undefined : this.#type(definition);
  }

  #type(definition: string): ListKeys {
    const schema = this.#schemas[definition];
    const facts = this.#facts[definition] ?? {};
    return {
      field: (name) => {
        const field = schema?.properties?.[name];
        const reference = field?.$ref ?? field?.items?.$ref ?? field?.additionalProperties?.$ref;
        return reference === undefined ? undefined : this.#type(reference);
      },
      keysOf: (name) => {
        const { listMapKeys, patchMergeKey, patchStrategy = '' } = facts[name] ?? {};
        if (!patchStrategy.split(',').includes('merge')) return undefined;
        return listMapKeys ?? (patchMergeKey === undefined ? undefined : [patchMergeKey]);
      },
    };
  }
}

/** Beside a bundle in `data`, in the source tree and in `dist` in `shared/api`. */
function table(name: string): unknown {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    for (const place of ['data', 'shared/api/generated', 'shared/api/data']) {
      const file = join(folder, place, name);
      if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
    }
    if (folder === dirname(folder)) throw new Error(`${name} was not found; run npm run generate`);
  }
}
