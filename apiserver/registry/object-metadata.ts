import type { KubernetesObject } from '../../shared/api/object.js';
import { equalJson } from '../../shared/api/json.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { hasSameEncoding } from './encoding.js';
import type { ResourceDefinition } from './definition.js';

/** Time as it stands in objects: RFC 3339 without fractions. */
export function timestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}

const maxGeneratedBase = 58;
/** Without vowels and without digits that look like letters, so that no words come out. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The given base, cut, and five random characters. */
export function generateName(base: string, random: () => number): string {
  let suffix = '';
  for (let i = 0; i < 5; i++) suffix += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)];
  return base.slice(0, maxGeneratedBase) + suffix;
}

/** Brings the namespace of the body in line with that of the URL, or refuses. */
export function checkNamespace(
  definition: ResourceDefinition,
  object: KubernetesObject,
  namespace: string | undefined,
): void {
  const { metadata } = object;
  if (!definition.resource.namespaced) {
    if (metadata.namespace) throw badRequest('namespace may not be set on cluster-scoped objects');
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (namespace !== undefined) metadata.namespace = namespace;
}

/** Refuses an object whose name is not that of the URL, or that has none. */
export function checkGivenName(object: KubernetesObject, name: string): void {
  if (!object.metadata.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  checkName(object, name);
}

/** Refuses a body whose name is not that of the URL; takes the URL's where the body has none. */
export function checkName(object: KubernetesObject, name: string): void {
  const given = object.metadata.name;
  if (given && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  object.metadata.name = name;
}

/** What only the server sets on a new object. */
export function fillSystemFields(
  definition: ResourceDefinition,
  object: KubernetesObject,
  uid: string,
  now: string,
): void {
  const { metadata } = object;
  metadata.uid = uid;
  metadata.creationTimestamp = now;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  if (definition.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
}

/** What no update may change or drop. Another uid, and a deletion that has not begun, are left for validation to refuse. */
export function keepSystemFields(next: KubernetesObject, old: KubernetesObject): void {
  const to = next.metadata;
  const from = old.metadata;
  to.uid ??= from.uid;
  assign(to, from, 'creationTimestamp');
  delete to.selfLink;
  if (from.deletionTimestamp !== undefined) to.deletionTimestamp = from.deletionTimestamp;
  if (from.deletionGracePeriodSeconds !== undefined) to.deletionGracePeriodSeconds ??= from.deletionGracePeriodSeconds;
  assign(to, from, 'generation');
  if (from.generateName !== undefined) to.generateName ??= from.generateName;
}

/**
 * Takes out owners that are given twice.
 * @returns the uids of those
 */
export function dropRepeatedOwners({ metadata }: KubernetesObject): string[] {
  const { ownerReferences: given } = metadata;
  if (!given || given.length < 2) return [];
  const repeated = given.filter((one, index) => given.findIndex((other) => equalJson(one, other)) < index);
  if (repeated.length === 0) return [];
  metadata.ownerReferences = given.filter((one) => !repeated.includes(one));
  return repeated.map(({ uid }) => uid);
}

function assign<T extends object, K extends keyof T>(to: T, from: T, field: K): void {
  if (from[field] === undefined) delete to[field];
  else to[field] = from[field];
}

/** Whether anything but metadata and status differs: what generation counts. */
export function hasSpecChange(next: KubernetesObject, old: KubernetesObject): boolean {
  const { metadata: _nextMetadata, status: _nextStatus, ...after } = next as Parts;
  const { metadata: _oldMetadata, status: _oldStatus, ...before } = old as Parts;
  return !hasSameEncoding(after, before);
}

type Parts = KubernetesObject & { status?: unknown };
