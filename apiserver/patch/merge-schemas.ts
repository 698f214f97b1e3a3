import type { MergeSchema } from '../../shared/patch/merge-schema.js';
import type { Field, SchemaType } from '../schema/schema-type.js';

/** How the types of the API take strategic merge patches. Each is worked out once, when the first patch comes to it. */
export class MergeSchemas {
  readonly #types = new Map<SchemaType, MergeSchema>();
  // By field, not by path: types may refer to themselves, and patches may go as deep into them as they like.
  readonly #fields = new Map<Field, MergeSchema>();

  of(type: SchemaType): MergeSchema {
    const known = this.#types.get(type);
    if (known) return known;
    const schema = new TypeMergeSchema(this, type);
    this.#types.set(type, schema);
    return schema;
  }

  ofField(field: Field): MergeSchema {
    const known = this.#fields.get(field);
    if (known) return known;
    const schema = new TypeMergeSchema(this, field.type, field);
    this.#fields.set(field, schema);
    return schema;
  }
}

class TypeMergeSchema implements MergeSchema {
  readonly isMergedList: boolean;
  readonly isReplaced: boolean;
  readonly mergeKey: string | undefined;
  readonly #schemas: MergeSchemas;
  /** Of the value, or of the items where it is a list. */
  readonly #type: SchemaType;

  constructor(schemas: MergeSchemas, type: SchemaType, field?: Field) {
    this.isMergedList = field?.patchStrategies.includes('merge') === true;
    this.isReplaced = field?.patchStrategies.includes('replace') === true;
    this.mergeKey = field?.patchMergeKey;
    this.#schemas = schemas;
    this.#type = type.kind === 'list' ? type.items : type;
  }

  field(name: string): MergeSchema | undefined {
    const type = this.#type;
    if (type.kind === 'map') return this.#schemas.of(type.values);
    const field = type.kind === 'struct' ? type.fields.get(name) : undefined;
    return field && this.#schemas.ofField(field);
  }
}
