import type { Schema } from './schema.js';

interface VersionOptions {
  readonly schema?: Schema;
  readonly isStorage?: boolean;
  readonly isServed?: boolean;
  readonly more?: Readonly<Record<string, unknown>>;
}

const openSchema: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** One version of a definition under test. */
export const version = (name: string, options: VersionOptions = {}): Record<string, unknown> => ({
  name,
  served: options.isServed ?? true,
  storage: options.isStorage ?? true,
  schema: { openAPIV3Schema: options.schema ?? openSchema },
  ...options.more,
});

/** A definition under test: `kind` in group `example.com`, in the namespaces. */
export function definitionOf(
  kind: string,
  versions: readonly Record<string, unknown>[],
  spec: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural, kind }, versions, ...spec },
  };
}

/** A schema with these properties in spec, and an open status. */
export const specSchema = (properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema => ({
  type: 'object',
  properties: {
    spec: { type: 'object', properties, ...more },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
});
