/** A schema of a custom resource: OpenAPI v3 as definitions carry it. */
export interface Schema {
  readonly $ref?: string;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly exclusiveMaximum?: boolean;
  readonly exclusiveMinimum?: boolean;
  readonly format?: string;
  readonly items?: Schema | readonly Schema[];
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly minProperties?: number;
  readonly minimum?: number;
  readonly multipleOf?: number;
  readonly not?: Schema;
  readonly nullable?: boolean;
  readonly oneOf?: readonly Schema[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly title?: string;
  readonly type?: string;
  readonly uniqueItems?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** A rule in the expression language. */
export interface ValidationRule {
  /** Required, which a definition that is to be checked may not know. */
  readonly rule?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** The schema of a list's items. */
export const itemsOf = ({ items }: Schema): Schema | undefined =>
  items === undefined || Array.isArray(items) ? undefined : (items as Schema);

/** The schema of the values of a map; undefined where there is none, or it is a mere boolean. */
export const valuesOf = ({ additionalProperties: values }: Schema): Schema | undefined =>
  typeof values === 'object' ? values : undefined;

export const propertyOf = ({ properties }: Schema, name: string): Schema | undefined =>
  properties && Object.hasOwn(properties, name) ? properties[name] : undefined;

/** apiVersion, kind and metadata are the server's own at the root and in embedded objects. */
export const isMetaField = (name: string): boolean => name === 'apiVersion' || name === 'kind' || name === 'metadata';

/** The schema with nothing in it that drops what it does not name, as definitions of v1beta1 have it by default. */
export function keepingUnknown(schema: Schema): Schema {
  const items = itemsOf(schema);
  const values = valuesOf(schema);
  const { properties } = schema;
  const isOpen = schema.type === undefined || schema.type === '' || schema.type === 'object' || schema.type === 'array';
  return {
    ...schema,
    ...(isOpen ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    ...(items ? { items: keepingUnknown(items) } : {}),
    ...(values ? { additionalProperties: keepingUnknown(values) } : {}),
    ...(properties
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, keepingUnknown(one)])) }
      : {}),
  };
}

/** Whether any part of the schema has rules in the expression language. */
export function hasRules(schema: Schema): boolean {
  if ((schema['x-kubernetes-validations'] ?? []).length > 0) return true;
  const below = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
  return below.some((inner) => inner !== undefined && hasRules(inner));
}
