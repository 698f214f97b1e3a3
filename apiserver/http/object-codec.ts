import type { KubernetesObject } from '../../shared/api/object.js';
import type { CustomStructure, ResourceDefinition } from '../registry/definition.js';
import type { WriteOptions } from '../registry/write-options.js';

export interface ExpectedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Name of the schema; absent: any object. */
  readonly definition?: string;
  /** Custom resources: their own structure. */
  readonly custom?: CustomStructure;
}

/** Those whose merging needs to know nothing of a kind but its structure. */
export const customPatchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
] as const;

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** A patch as it was sent, read once; applied as often as it takes. */
export interface ParsedPatch {
  readonly type: PatchType;
  readonly value: unknown;
  readonly text: string;
  readonly faults: readonly string[];
}

/** Between the bytes of requests and objects: decoding, structure, patches. Throws StatusErrors in the original's words. */
export interface ObjectCodec {
  decode(
    bytes: Buffer,
    contentType: string | undefined,
    expected: ExpectedKind,
    options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
  ): KubernetesObject;
  /** A small body of options (DeleteOptions), in any encoding. */
  decodeOptions(bytes: Buffer, contentType: string | undefined): unknown;
  /** 415 for a media type that is no patch. */
  parsePatch(
    bytes: Buffer,
    contentType: string | undefined,
    options?: Partial<Pick<WriteOptions, 'fieldValidation'>> & Pick<ExpectedKind, 'custom'>,
  ): ParsedPatch;
  /** `current` is the caller's own copy. The outcome is checked against the structure. */
  applyPatch(
    patch: ParsedPatch,
    current: KubernetesObject,
    expected: ExpectedKind,
    options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
  ): KubernetesObject;
}

export const expectedOf = ({ resource, custom }: ResourceDefinition): ExpectedKind => ({
  apiVersion: resource.apiVersion,
  kind: resource.kind,
  ...(resource.definition === undefined ? {} : { definition: resource.definition }),
  ...(custom ? { custom } : {}),
});
