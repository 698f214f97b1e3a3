import { join } from 'node:path';
import { isObject } from '../../shared/api/json.js';
import { jsonPatch } from '../../shared/patch/json-patch.js';
import { Failure } from '../cluster/failure.js';
import { here } from '../local-patch.js';
import type { AnyObject } from '../server-api.js';
import type { TypeTables } from '../type-tables.js';
import { readDocuments, readInside, type Kustomization, type Patch } from './kustomization.js';
import { mergePatch } from './merge.js';
import { describe, groupOf, nameOf, wasCalled, type Resource } from './resource.js';
import { isSelected } from './selection.js';

/** Applies the patches of a kustomization one after another; what a patch deletes is gone. */
export function patchAll(resources: Resource[], { directory, patches }: Kustomization, types: TypeTables): void {
  for (const patch of patches) {
    const { text, source } = textOf(patch, directory);
    const documents = readDocuments(text, source);
    const [first] = documents;
    if (Array.isArray(first)) patchByOperations(resources, patch, first, source);
    else for (const document of documents) strategicPatch(resources, patch, document, { source, types });
  }
}

function textOf({ path, patch }: Patch, directory: string): { text: string; source: string } {
  if ((path === undefined) === (patch === undefined))
    throw new Failure('must specify one of patch and path in a patch of the kustomization');
  if (patch !== undefined) return { text: patch, source: `patch in ${directory}` };
  const source = join(directory, path ?? '');
  return { text: readInside(directory, path ?? '').toString('utf8'), source };
}

function patchByOperations(
  resources: Resource[],
  { target }: Patch,
  operations: readonly unknown[],
  source: string,
): void {
  if (!target) throw new Failure(`${source}: must specify a target for a JSON patch`);
  for (const resource of resources)
    if (isSelected(target, resource)) {
      resource.object = here(() => jsonPatch(resource.object, operations)) as AnyObject;
    }
}

function strategicPatch(
  resources: Resource[],
  { target }: Patch,
  document: unknown,
  { source, types }: { source: string; types: TypeTables },
): void {
  if (!isObject(document)) throw new Failure(`${source}: a patch is a mapping or a list of operations`);
  const { metadata = {} } = document as Partial<AnyObject>;
  const patch = { ...document, metadata } as AnyObject;
  const meant = resources.filter((resource) => (target ? isSelected(target, resource) : isOf(patch, resource)));
  if (meant.length === 0 && !target)
    throw new Failure(`no resource matches strategic merge patch ${JSON.stringify(describe(patch))}`);
  for (const resource of meant) {
    const { object } = resource;
    // A patch with a target may be of another name: what it is called is not what the object shall be called.
    const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = patch;
    const { name: _name, namespace: _namespace, ...marks } = metadata;
    const fields = { ...rest, ...(Object.keys(marks).length > 0 ? { metadata: marks } : {}) };
    const merged = mergePatch(object, fields, types.typeOf(object));
    if (merged) resource.object = merged as AnyObject;
    else resources.splice(resources.indexOf(resource), 1);
  }
}

const isOf = (patch: AnyObject, resource: Resource): boolean =>
  patch.kind === resource.object.kind &&
  groupOf(patch) === groupOf(resource.object) &&
  wasCalled(resource, nameOf(patch), patch.metadata.namespace);
