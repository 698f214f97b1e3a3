import { resourcePath } from '../shared/api/resource.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { Failure } from './cluster/failure.js';
import type { CommandContext } from './context.js';
import { placedObjects } from './manifest-objects.js';
import { objectName, type ResourceType } from './resource-mapper.js';
import { parseSelection } from './selection.js';
import type { AnyObject, ServerApi } from './server-api.js';

/** Which objects a command works on. */
export interface ObjectQuery {
  readonly words: readonly string[];
  readonly files?: readonly string[] | undefined;
  readonly isRecursive?: boolean;
  readonly selector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Every object of the types. */
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  /** Taken for words that name no type, e.g. `pods` for `logs web`. */
  readonly defaultType?: string;
}

/** The address of an object. */
export interface ObjectReference {
  readonly type: ResourceType;
  readonly name: string;
  readonly namespace: string | undefined;
  /** The file that names it. */
  readonly source?: string;
}
/** An object with its address. */
export interface FoundObject extends ObjectReference {
  readonly object: AnyObject;
}

export const referencePath = ({ type, name, namespace }: ObjectReference, subresource?: string): string =>
  resourcePath(type, namespace, name, subresource);

/** `deployment.apps/web`. */
export const referenceName = ({ type, name }: ObjectReference): string => objectName(type, name);

/** Addresses that words and files give without asking for the objects; undefined where a selector must be asked. */
export async function references(context: CommandContext, query: ObjectQuery): Promise<ObjectReference[] | undefined> {
  if (query.files && query.files.length > 0) {
    const { objects, errors } = await placedObjects(context, {
      files: query.files,
      isRecursive: query.isRecursive ?? false,
    });
    if (errors.length > 0) throw errors[0];
    return objects.map(({ type, namespace, object, source }) => ({
      type,
      namespace,
      name: object.metadata.name ?? '',
      source,
    }));
  }
  const [mapper, namespace] = await Promise.all([context.mapper(), context.namespace()]);
  const selection = parseSelection(withType(query), mapper);
  if (selection.kind === 'types') return undefined;
  if (query.selector) throw new Failure('name cannot be provided when a selector is specified');
  if (query.all) throw new Failure('name cannot be provided when a selector is specified');
  return selection.targets.map(({ type, name }) => ({
    type,
    name,
    namespace: type.namespaced ? namespace : undefined,
  }));
}

/** Every object of a query, fetched. Failures of single objects are collected, the others go on. */
export async function findObjects(
  context: CommandContext,
  query: ObjectQuery,
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  const named = await references(context, query);
  if (named === undefined) return { found: await listed(context, query), errors: [] };
  const api = await context.api();
  const found: FoundObject[] = [];
  const errors: unknown[] = [];
  for (const reference of named) {
    try {
      found.push({ ...reference, object: await getNamed(api, reference) });
    } catch (error) {
      errors.push(error);
    }
  }
  return { found, errors };
}

/**
 * GET of one object. Where it does not exist because its namespace does not, the failure is the namespace's, as with kubectl.
 * @throws StatusError
 */
export async function getNamed(api: ServerApi, reference: ObjectReference, subresource?: string): Promise<AnyObject> {
  try {
    return await api.json({ path: referencePath(reference, subresource) });
  } catch (error) {
    throw await missingNamespace(api, reference.namespace, error);
  }
}

/** The failure of the namespace where that is the reason for `error`, else `error` itself. */
export async function missingNamespace(
  api: ServerApi,
  namespace: string | undefined,
  error: unknown,
): Promise<unknown> {
  if (!isNotFound(error) || !namespace || namespace === 'default') return error;
  try {
    await api.text({ path: `/api/v1/namespaces/${encodeURIComponent(namespace)}` });
    return error;
  } catch (missing) {
    return isNotFound(missing) ? missing : error;
  }
}

async function listed(context: CommandContext, query: ObjectQuery): Promise<FoundObject[]> {
  if (!query.selector && !query.all && !query.fieldSelector) {
    throw new Failure('resource(s) were provided, but no name was specified');
  }
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const selection = parseSelection(withType(query), mapper);
  if (selection.kind === 'names') return [];
  const lists = await Promise.all(
    selection.types.map(async (type) => {
      const scope = type.namespaced && !query.allNamespaces ? namespace : undefined;
      return listObjects(api, type, {
        namespace: scope,
        labelSelector: query.selector,
        fieldSelector: query.fieldSelector,
      });
    }),
  );
  return lists.flat();
}

export interface ListScope {
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** All objects of a type, page by page. */
export async function listObjects(
  api: Awaited<ReturnType<CommandContext['api']>>,
  type: ResourceType,
  { namespace, labelSelector, fieldSelector }: ListScope,
): Promise<FoundObject[]> {
  const found: FoundObject[] = [];
  let token: string | undefined;
  do {
    const query = { labelSelector, fieldSelector, limit: 500, continue: token };
    const page = await api.json({ path: resourcePath(type, namespace), query });
    for (const item of (page['items'] as AnyObject[] | undefined) ?? []) {
      const object = { ...item, apiVersion: type.apiVersion, kind: type.kind };
      found.push({ type, object, name: item.metadata.name ?? '', namespace: item.metadata.namespace });
    }
    token = page.metadata.continue;
  } while (token);
  return found;
}

function withType({ words, defaultType }: ObjectQuery): readonly string[] {
  if (defaultType === undefined || words.some((word) => word.includes('/'))) return words;
  return [defaultType, ...words];
}
