import { olderResources } from '../../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import type { ResourceDefinition, StoredForm, Strategy } from '../../registry/definition.js';
import { defineKind } from '../kind.js';

type Convert = (object: Json) => void;

/** An object of whichever version, while it is being turned into another. */
export type Json = Record<string, unknown>;

/** In what a served version differs from the stored one. */
export interface VersionChange {
  /** Each is given a copy of its own, with apiVersion set already, and changes it in place. */
  readonly toStored?: Convert;
  readonly fromStored?: Convert;
  /** In the place of the rules of the stored version; about objects of the stored form. */
  readonly strategy?: Strategy<never>;
}

/** A further version of the kind of `base`: everything is the base's but the form of requests and answers. */
export function servedVersion(
  base: ResourceDefinition,
  resource: Resource,
  change: VersionChange = {},
  deprecation?: string,
): ResourceDefinition {
  const strategy = change.strategy as unknown as Strategy<KubernetesObject> | undefined;
  return Object.freeze({
    ...base,
    ...(strategy ? { strategy: defineKind({ resource: base.resource, strategy }).strategy } : {}),
    resource: resource as Resource<KubernetesObject>,
    storedAs: storedForm(base, resource, change),
    ...(deprecation === undefined ? {} : { deprecation }),
  });
}

function storedForm(base: ResourceDefinition, { apiVersion }: Resource, change: VersionChange): StoredForm {
  const turn = (object: KubernetesObject, to: string, convert: Convert | undefined): KubernetesObject => {
    const turned = { ...object, apiVersion: to };
    convert?.(turned as unknown as Json);
    return turned;
  };
  return {
    definition: base,
    toStored: (object) => turn(object, base.resource.apiVersion, change.toStored),
    fromStored: (stored) => turn(stored, apiVersion, change.fromStored),
  };
}

/** Since when a version was no longer liked, and which release of the original stopped serving it. */
export interface Lifecycle {
  readonly deprecated: string;
  readonly removed: string;
}

/** A version that the original no longer serves, or has off; it warns of itself in the original's words once it is deprecated. */
export function olderVersion(
  base: ResourceDefinition,
  apiVersion: string,
  lifecycle: Lifecycle | undefined,
  change: VersionChange = {},
): ResourceDefinition {
  const { kind, apiVersion: newer } = base.resource;
  const resource = (olderResources as Readonly<Record<string, Resource>>)[`${apiVersion} ${kind}`];
  if (!resource) throw new Error(`the structure of ${apiVersion} ${kind} is not known`);
  const warning =
    lifecycle &&
    `${apiVersion} ${kind} is deprecated in v${lifecycle.deprecated}+, unavailable in v${lifecycle.removed}+; use ${newer} ${kind}`;
  // Short names and categories lead to the stable version: `kubectl get all` shall not list everything twice.
  return { ...servedVersion(base, resource, change, warning), shortNames: [], categories: [] };
}

/** A member that is an object; undefined for everything else. */
export function member(object: Json | undefined, name: string): Json | undefined {
  const value = object?.[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The objects of a member that is a list. */
export function members(object: Json | undefined, name: string): Json[] {
  const value = object?.[name];
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Json => typeof item === 'object' && item !== null && !Array.isArray(item));
}

/** Moves a value to another name, where there is one. */
export function rename(object: Json, from: string, to: string): void {
  const value = object[from];
  delete object[from];
  if (value !== undefined) object[to] = value;
}
