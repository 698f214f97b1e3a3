import type { KubernetesObject } from '../../shared/api/object.js';
import type { ResourceDefinition } from './definition.js';

/** The other versions, and other groups, under which the objects of a resource are served. */
export function equivalentsOf(
  definition: ResourceDefinition,
  all: readonly ResourceDefinition[],
): readonly ResourceDefinition[] {
  const storedForm = (one: ResourceDefinition): unknown =>
    one.custom?.conversion?.stored ?? one.storedAs?.definition ?? one;
  const wanted = storedForm(definition);
  return all.filter((other) => other !== definition && storedForm(other) === wanted);
}

/** The same object in the version of `to`. */
export function inVersion(
  object: KubernetesObject,
  from: ResourceDefinition,
  to: ResourceDefinition,
): KubernetesObject {
  if (from === to) return object;
  const stored = from.storedAs ? from.storedAs.toStored(structuredClone(object)) : object;
  return to.storedAs ? to.storedAs.fromStored(structuredClone(stored)) : stored;
}
