import type { JsonObject } from '../../shared/api/json.js';
import type { StructType } from '../schema/schema-type.js';
import { compareObjects, type Comparison } from './compare.js';

/** An object in one version, along whose structure its fields are named. */
export interface VersionForm {
  readonly object: JsonObject;
  readonly type: StructType;
}

/** An object in another version; undefined where there is no such version (any longer). */
export type Versions = (object: JsonObject, apiVersion: string) => VersionForm | undefined;

/** What differs between two states of an object, as a version names it; undefined where there is no such version. */
export type ComparisonIn = (apiVersion: string) => Comparison | undefined;

/**
 * Compares two states in the version that they have, and in others when somebody owns fields by the names of those.
 * Without `versions` names are taken to mean the same everywhere.
 */
export function compareIn(
  before: JsonObject,
  after: JsonObject,
  type: StructType,
  apiVersion: string,
  versions: Versions | undefined,
): { readonly own: Comparison; readonly comparisonIn: ComparisonIn } {
  const own = compareObjects(before, after, type);
  const known = new Map<string, Comparison | undefined>([[apiVersion, own]]);
  const comparisonIn = (other: string): Comparison | undefined => {
    if (!versions || other === apiVersion) return own;
    if (!known.has(other)) known.set(other, comparedIn(before, after, other, versions));
    return known.get(other);
  };
  return { own, comparisonIn };
}

function comparedIn(
  before: JsonObject,
  after: JsonObject,
  apiVersion: string,
  versions: Versions,
): Comparison | undefined {
  const old = versions(before, apiVersion);
  const next = old && versions(after, apiVersion);
  return old && next && compareObjects(old.object, next.object, next.type);
}
