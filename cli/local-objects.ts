import { defineResource } from '../shared/api/resource.js';
import { Failure } from './cluster/failure.js';
import type { CommandContext } from './context.js';
import type { FoundObject } from './found-objects.js';
import { readManifestSources } from './manifest-source.js';
import type { ResourceType } from './resource-mapper.js';
import type { AnyObject } from './server-api.js';

/** Objects of files as they stand there, for commands that ask no server. */
export async function localObjects(
  context: CommandContext,
  { filename, recursive }: { readonly filename?: readonly string[]; readonly recursive: boolean },
  withoutFiles = "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
): Promise<FoundObject[]> {
  if (!filename) throw new Failure(withoutFiles);
  const manifests = await readManifestSources(context.terminal.stdin, filename, recursive);
  return manifests.map(({ object, source }) => ({
    type: assumedType(object),
    name: object.metadata.name ?? '',
    namespace: object.metadata.namespace,
    source,
    object,
  }));
}

/** The type of an object that only shall be shown, on a server that may not have it. */
export function assumedType({ apiVersion, kind }: AnyObject): ResourceType {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const resource = defineResource({ group, version, kind, resource: `${kind.toLowerCase()}s`, namespaced: true });
  return { ...resource, singular: kind.toLowerCase(), shortNames: [], categories: [], verbs: [], subresources: [] };
}
