import { isObject, type JsonObject } from '../../../shared/api/json.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { mergeConfig } from '../../apply/merge.js';
import { expectedOf, type ObjectCodec } from '../../http/object-codec.js';
import type { StructType } from '../../schema/schema-type.js';
import type { Reviewed } from '../matching/reviewed.js';
import { MutationError } from './compiled-mutation.js';

const untyped: StructType = {
  kind: 'struct',
  definition: '',
  goName: '',
  fields: new Map(),
  mapType: 'granular',
  preserveUnknown: true,
};
/** What an apply configuration must not speak of, as in the original. */
const identityFields = ['apiVersion', 'kind'];
const metadataFields = ['name', 'namespace', 'uid', 'generateName', 'resourceVersion'];

/** Makes the changes that mutations want; the outcome is checked against the structure and defaulted. */
export class PatchApplier {
  readonly #codec: Pick<ObjectCodec, 'applyPatch'>;
  readonly #structure: (definition: string) => StructType;

  constructor(codec: Pick<ObjectCodec, 'applyPatch'>, structure: (definition: string) => StructType) {
    this.#codec = codec;
    this.#structure = structure;
  }

  json(object: KubernetesObject, operations: readonly unknown[], reviewed: Reviewed): KubernetesObject {
    return this.#apply(object, { type: 'json', value: operations }, reviewed);
  }

  /** As server-side apply would, without owners: lists merge by their keys. */
  merge(
    object: KubernetesObject,
    configuration: Readonly<Record<string, unknown>>,
    reviewed: Reviewed,
  ): KubernetesObject {
    const { metadata } = configuration;
    const isForbidden =
      identityFields.some((field) => field in configuration) ||
      (isObject(metadata) && metadataFields.some((field) => field in metadata));
    if (isForbidden) {
      throw new MutationError(
        'may not mutate apiVersion, kind, metadata.name, metadata.namespace, or metadata.generateName',
      );
    }
    const { definition } = reviewed.definition.resource;
    const isOwn = reviewed.kind.kind === reviewed.definition.resource.kind;
    const type = definition === undefined || !isOwn ? untyped : this.#structure(definition);
    const merged = mergeConfig(
      structuredClone(object) as unknown as JsonObject,
      structuredClone(configuration) as unknown as JsonObject,
      type,
    );
    return this.#apply(object, { type: 'merge', value: merged }, reviewed, merged);
  }

  #apply(
    object: KubernetesObject,
    patch: { readonly type: 'json' | 'merge'; readonly value: unknown },
    { kind, definition }: Reviewed,
    base?: JsonObject,
  ): KubernetesObject {
    const isOwn = kind.kind === definition.resource.kind;
    const expected = isOwn ? expectedOf(definition) : { apiVersion: object.apiVersion, kind: object.kind };
    const options = { fieldValidation: 'Ignore' as const, warn: () => undefined };
    const current = (base ?? structuredClone(object)) as unknown as KubernetesObject;
    // What was merged already is laid over itself: that leaves the check of its structure.
    const value = base ? {} : patch.value;
    const changed = this.#codec.applyPatch(
      { type: patch.type, value, text: '', faults: [] },
      current,
      expected,
      options,
    );
    if (isOwn) definition.strategy.defaults?.(changed);
    return changed;
  }
}
