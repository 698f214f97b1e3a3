import { sendRaw } from '../raw-request.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound, StatusError } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { ExitError, throwCollected, withContext } from '../failures.js';
import { missingNamespace } from '../found-objects.js';
import { isTemplate, objectPrinter, type ObjectPrinter } from '../printer/object-printer.js';
import type { Table } from '../printer/table-printer.js';
import type { ResourceMapper, ResourceType } from '../resource-mapper.js';
import { parseSelection } from '../selection.js';
import type { AnyObject } from '../server-api.js';
import { showsHeaders, tableAccept, tablePrinter, type Getting, type Request } from './getting.js';
import type { GetFlags } from './options.js';
import { sortObjects, sortTable } from './sort.js';
import { watchAfterGet } from './watch.js';

export async function runGet(
  context: CommandContext,
  flags: GetFlags,
  words: readonly string[],
  readFile: (path: string) => string,
): Promise<void> {
  if (flags.raw !== undefined) return sendRaw(context, { method: 'GET', path: flags.raw });
  objectPrinter(flags.output, { readFile, template: flags.template }); // an unknown format fails before anything is asked
  if (words.length > 0 && flags.filename !== undefined) throw new Failure(bothGiven);
  if (words.length === 0 && flags.filename === undefined) {
    context.tell(nothingAsked);
    throw new ExitError(1);
  }
  const mapper = await context.mapper();
  const printer = objectPrinter(flags.output, {
    mapper,
    readFile,
    template: flags.template,
    headers: showsHeaders(flags),
    showManagedFields: flags.showManagedFields,
    allowsMissing: flags.allowMissingTemplateKeys,
  });
  const namespace = await context.namespace();
  const requests = await requestsOf(context, flags, words, mapper);
  const getting: Getting = { context, flags, mapper, printer, requests, namespace, errors: [] };
  if (flags.watch || flags.watchOnly) await watchAfterGet(getting);
  else if (printer) await printObjects(getting, printer);
  else await printTables(getting);
  throwCollected(getting.errors);
}

const bothGiven = 'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well';
const nothingAsked = `You must specify the type of resource to get. Use "knarr api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "knarr explain <resource>" for a detailed description of that resource (e.g. knarr explain pods).
See 'knarr get -h' for help and examples`;

async function requestsOf(
  context: CommandContext,
  flags: GetFlags,
  words: readonly string[],
  mapper: ResourceMapper,
): Promise<Request[]> {
  const namespace = await context.namespace();
  const scope = (type: ResourceType): { namespace?: string } =>
    type.namespaced && !flags.allNamespaces ? { namespace } : {};
  if (flags.filename) {
    const { readManifestSources } = await import('../manifest-source.js');
    const manifests = await readManifestSources(context.terminal.stdin, flags.filename, flags.recursive);
    return manifests.map((manifest) => {
      const type = mapper.forKind(manifest.object.apiVersion, manifest.object.kind);
      if (!type)
        throw new Failure(`no matches for kind "${manifest.object.kind}" in version "${manifest.object.apiVersion}"`);
      const { name = '', namespace: own } = manifest.object.metadata;
      return { type, name, ...(type.namespaced ? { namespace: own ?? namespace } : {}) };
    });
  }
  const selection = parseSelection(words, mapper);
  if (selection.kind === 'types') return selection.types.map((type) => ({ type, ...scope(type) }));
  if (flags.allNamespaces) throw new Failure('a resource cannot be retrieved by name across all namespaces');
  if (flags.selector) throw new Failure('name cannot be provided when a selector is specified');
  return selection.targets.map(({ type, name }) => ({ type, name, ...scope(type) }));
}

/** One request, following `continue`; each page is given to `take`. */
async function fetchPages<T extends { metadata: { continue?: string } }>(
  getting: Getting,
  request: Request,
  accept: string | undefined,
  take: (page: T) => void,
): Promise<void> {
  const { context, flags } = getting;
  const api = await context.api();
  const { type, name, namespace } = request;
  const path = resourcePath(type, namespace, name, flags.subresource);
  let token: string | undefined;
  do {
    const list = {
      labelSelector: flags.selector,
      fieldSelector: flags.fieldSelector,
      limit: flags.chunkSize > 0 ? flags.chunkSize : undefined,
      continue: token,
    };
    const includeObject = accept && (flags.sortBy ? 'Object' : undefined);
    const query = { ...(name === undefined ? list : {}), includeObject };
    const page = await api.json<T>({ path, query, ...(accept ? { accept } : {}) });
    take(page);
    token = name === undefined ? page.metadata?.continue : undefined;
  } while (token);
}

/** Collects failures, so that what can be shown is shown. */
async function collect(getting: Getting, request: Request, fetch: () => Promise<void>): Promise<void> {
  const api = await getting.context.api();
  try {
    await fetch();
  } catch (error) {
    if (getting.flags.ignoreNotFound && isNotFound(error)) return;
    getting.errors.push(refusedSelector(getting, request, await missingNamespace(api, request.namespace, error)));
  }
}

/** kubectl names the type and the selectors that the server refused. */
function refusedSelector({ flags }: Getting, { type, name }: Request, error: unknown): unknown {
  const { selector = '', fieldSelector = '' } = flags;
  if (!(error instanceof StatusError) || error.code !== 400 || name !== undefined || selector + fieldSelector === '')
    return error;
  const resource = `${type.group}/${type.version}, Resource=${type.resource}`;
  return withContext(
    error,
    `Unable to find "${resource}" that match label selector "${selector}", field selector "${fieldSelector}"`,
  );
}

async function printObjects(getting: Getting, printer: ObjectPrinter): Promise<void> {
  const { context, flags, requests, errors } = getting;
  const items: AnyObject[] = [];
  for (const request of requests) {
    await collect(getting, request, () =>
      fetchPages<AnyObject>(getting, request, undefined, (page) => {
        if (request.name !== undefined) items.push(page);
        else items.push(...itemsOf(page));
      }),
    );
  }
  const [first] = items;
  const isSingle = requests.length === 1 && requests[0]?.name !== undefined;
  if (isSingle && !first) return;
  if (errors.length > 0 && items.length === 0) return;
  if (flags.sortBy) sortObjects(items, flags.sortBy);
  const isEach = flags.output === 'name';
  if (isSingle && first) return writeText(getting, await printer(first, false));
  if (isEach && items.length === 0) return;
  const list = { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
  writeText(getting, await printer(list as unknown as AnyObject, true));
  context.signal.throwIfAborted();
}

function writeText(getting: Getting, text: string): void {
  getting.context.terminal.stdout.write(isTemplate(getting.flags.output) ? text : `${text}\n`);
}

/** Items of a list carry no type of their own on the wire: the list's names it. */
function itemsOf(list: AnyObject): AnyObject[] {
  const kind = list.kind.replace(/List$/, '');
  return ((list['items'] as AnyObject[] | undefined) ?? []).map((item) => ({
    ...item,
    apiVersion: item.apiVersion ?? list.apiVersion,
    kind: item.kind ?? kind,
  }));
}

async function printTables(getting: Getting): Promise<void> {
  const { context, requests, flags } = getting;
  const types = new Set(requests.map(({ type }) => type));
  const blocks: string[][] = [];
  for (const [type, table] of await fetchTables(getting)) {
    if (flags.sortBy) sortTable(table, flags.sortBy);
    if ((table.rows ?? []).length > 0) blocks.push(tablePrinter(getting, type, types.size > 1).print(table));
  }
  if (blocks.length > 0) context.print(blocks.map((lines) => lines.join('\n')).join('\n\n'));
  else if (getting.errors.length === 0 && !flags.ignoreNotFound) context.tell(nothingFound(getting));
}

/** Answers of one type that follow each other make one table. */
async function fetchTables(getting: Getting): Promise<[ResourceType, Table][]> {
  const tables: [ResourceType, Table][] = [];
  for (const request of getting.requests) {
    await collect(getting, request, () =>
      fetchPages<Table>(getting, request, tableAccept, (page) => {
        const last = tables.at(-1);
        if (last?.[0] !== request.type) tables.push([request.type, page]);
        else last[1].rows = [...(last[1].rows ?? []), ...(page.rows ?? [])];
      }),
    );
  }
  return tables;
}

function nothingFound({ requests, flags, namespace }: Getting): string {
  const isNamespaced = requests.some(({ type }) => type.namespaced);
  return isNamespaced && !flags.allNamespaces ? `No resources found in ${namespace} namespace.` : 'No resources found';
}
