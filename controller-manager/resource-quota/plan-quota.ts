import type { ResourceQuota, ResourceQuotaStatus } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { formatQuantity, parseQuantity } from '../../shared/api/quantity.js';
import { collectionOf, quotaIncludes, usageOf } from '../../shared/api/quota-usage.js';
import type { Resource } from '../../shared/api/resource.js';

type Collection = Pick<Resource, 'group' | 'resource'>;

/** The objects of one collection in the quota's namespace; undefined: not known yet, or not served. */
export type ListObjects = (collection: Collection) => readonly KubernetesObject[] | undefined;

export const collectionKey = ({ group, resource }: Collection): string => `${group}/${resource}`;

/** What the status of a quota should be; undefined where it is so already. Names that nobody can count are not used. */
export function planQuotaStatus(
  quota: ResourceQuota & KubernetesObject,
  list: ListObjects,
  nowMs: number,
): ResourceQuotaStatus | undefined {
  const hard = quota.spec?.hard ?? {};
  const used: Record<string, string> = {};
  const totals = new Map<string, Map<string, bigint> | undefined>();
  for (const [name, limit] of Object.entries(hard)) {
    const collection = collectionOf(name);
    if (!collection) continue;
    const key = collectionKey(collection);
    if (!totals.has(key)) totals.set(key, sum(quota, collection, list(collection), nowMs));
    const total = totals.get(key);
    if (!total) continue;
    used[name] = formatQuantity({ nanos: total.get(name) ?? 0n, format: parseQuantity(limit).format });
  }
  const { status } = quota;
  return isSame(status?.hard, hard) && isSame(status?.used, used) ? undefined : { hard: { ...hard }, used };
}

function sum(
  quota: ResourceQuota,
  collection: Collection,
  objects: readonly KubernetesObject[] | undefined,
  nowMs: number,
): Map<string, bigint> | undefined {
  if (!objects) return undefined;
  const total = new Map<string, bigint>();
  for (const object of objects) {
    if (!quotaIncludes(quota, collection, object)) continue;
    for (const [name, { nanos }] of usageOf(collection, object, nowMs)) {
      total.set(name, (total.get(name) ?? 0n) + nanos);
    }
  }
  return total;
}

function isSame(a: Readonly<Record<string, string>> | undefined, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(b);
  return a !== undefined && Object.keys(a).length === names.length && names.every((name) => a[name] === b[name]);
}
