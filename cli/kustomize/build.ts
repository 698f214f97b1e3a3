import { join, resolve } from 'node:path';
import { isObject } from '../../shared/api/json.js';
import { Failure } from '../cluster/failure.js';
import type { AnyObject } from '../server-api.js';
import { contentHash, generate } from './generators.js';
import { isKustomization, readDocuments, readInside, readKustomization } from './kustomization.js';
import { TypeTables } from '../type-tables.js';
import { inOrder } from './order.js';
import { patchAll } from './patches.js';
import { updateReferences } from './references.js';
import { replaceAll } from './replacements.js';
import { describe, identityOf, newResource, type Resource } from './resource.js';
import { transform } from './transformers.js';

/**
 * The objects that a folder's kustomization describes, in the order in which they are applied.
 *
 *     resources (files, folders) -> generators -> components -> patches, names, labels ... -> replacements
 *     and at the outermost: hashes behind names -> references follow names -> order
 *
 * @throws Failure
 */
export function buildKustomization(directory: string): AnyObject[] {
  const types = new TypeTables();
  const { resources, isFifo } = accumulate(directory, [], types, []);
  for (const resource of resources) {
    const { object, needsHash } = resource;
    if (needsHash) object.metadata.name = `${object.metadata.name ?? ''}-${contentHash(object)}`;
  }
  updateReferences(resources);
  const objects = resources.map(({ object }) => object);
  return isFifo ? objects : inOrder(objects);
}

/** The resources of one kustomization. A component works on those of the one that names it. */
function accumulate(
  directory: string,
  given: Resource[],
  types: TypeTables,
  above: readonly string[],
): { resources: Resource[]; isFifo: boolean } {
  const here = resolve(directory);
  if (above.includes(here)) throw new Failure(`cycle detected: ${[...above, here].join(' -> ')}`);
  const kustomization = readKustomization(directory);
  const resources = given;
  for (const path of kustomization.resources) {
    for (const made of resourcesAt(directory, path, types, [...above, here])) {
      if (resources.some((one) => isSame(one.object, made.object)))
        throw new Failure(`may not add resource with an already registered id: ${describe(made.object)}`);
      resources.push(made);
    }
  }
  generate(resources, kustomization);
  for (const path of kustomization.components) accumulate(join(directory, path), resources, types, [...above, here]);
  for (const { layers } of resources) layers.push(here);
  patchAll(resources, kustomization, types);
  transform(resources, kustomization);
  replaceAll(resources, kustomization);
  return { resources, isFifo: kustomization.isFifo };
}

const isSame = (a: AnyObject, b: AnyObject): boolean => describe(a) === describe(b);

function resourcesAt(directory: string, given: string, types: TypeTables, above: readonly string[]): Resource[] {
  const path = join(directory, given);
  if (/^(?:https?:|git@|ssh:|[\w.-]+\.\w+\/.*\?ref=)/.test(given))
    throw new Failure(`${given}: knarr reads no kustomizations from other machines; fetch it first`);
  if (isKustomization(path)) return accumulate(path, [], types, above).resources;
  const text = readInside(directory, given).toString('utf8');
  return readDocuments(text, path)
    .flatMap((document) => (isObject(document) && Array.isArray(document['items']) ? document['items'] : [document]))
    .map((document) => {
      if (!isObject(document) || typeof document['kind'] !== 'string' || typeof document['apiVersion'] !== 'string')
        throw new Failure(`${path}: not an object: a manifest is a mapping with apiVersion, kind and metadata`);
      const object = { ...document, metadata: { ...(document['metadata'] as object | undefined) } } as AnyObject;
      return { ...newResource(object), identities: [identityOf(object)] };
    });
}
