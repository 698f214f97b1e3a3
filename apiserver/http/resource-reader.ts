import { badRequest } from '../../shared/errors/bad-request.js';
import { compileSelection, prepareToSelect } from '../cache/selection.js';
import { parseListOptions, parseResourceVersion, type ListOptions } from '../cache/list-options.js';
import { readList } from '../cache/list-reader.js';
import { mapInSlices } from '../../shared/lifecycle/slices.js';
import type { CachedObject } from '../cache/cached-object.js';
import { notAcceptable, resourceVersionTooLarge } from '../registry/status-errors.js';
import { invalid as invalidField } from '../validation/field-error.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { header, type Exchange } from './exchange.js';
import { negotiate, type Negotiated } from './accept.js';
import { joinList, jsonList, listHead, ListItems, protobufList, sendList, type TypedItem } from './list-response.js';
import type { IncludeObject } from '../table/table.js';
import type { Representations } from './representations.js';
import { isLaidOut, sendObject, sendProtobuf } from './respond.js';
import { serveWatch, type WatchDependencies } from './watch-response.js';

/** Answers get, list and watch of stored objects from the cache. */
export class ResourceReader {
  readonly #watch: WatchDependencies;
  readonly #representations: Representations;

  constructor(watch: WatchDependencies, representations: Representations) {
    this.#watch = watch;
    this.#representations = representations;
  }

  get(exchange: Exchange, served: ServedResource): void | Promise<void> {
    const { info, query } = exchange;
    const form = this.#negotiate(exchange, served, true);
    assertShape(form, served, false);
    const requested = parseResourceVersion(query.get('resourceVersion')) ?? 0;
    const current = this.#watch.hub.revision;
    if (requested > current) throw resourceVersionTooLarge(requested, current);
    const found = served.store.current(info.namespace, info.name);
    if (found instanceof Promise) return found.then((one) => this.#sendStored(exchange, served, one, form));
    this.#sendStored(exchange, served, found, form);
  }

  /** One stored object in the form asked for. */
  #sendStored(exchange: Exchange, served: ServedResource, found: CachedObject, form: Negotiated): void {
    if (form.transform === 'none') {
      const bytes = served.store.forms.viewBytes(found);
      if (form.encoding !== 'protobuf') sendObject(exchange, 200, bytes, form);
      else sendProtobuf(exchange, 200, this.#representations.encoder(served, form, 'Metadata').encode(found), bytes);
      return;
    }
    const shown = this.#representations.one(served, form, found.object, includeObject(exchange, form));
    sendObject(exchange, 200, Buffer.from(JSON.stringify(shown)), form);
  }

  async list(exchange: Exchange, served: ServedResource): Promise<void> {
    const { store, definition } = served;
    const { query } = exchange;
    const form = this.#negotiate(exchange, served, true);
    const options = withName(parseListOptions(query, false), exchange);
    assertShape(form, served, true);
    const include = includeObject(exchange, form);
    const selection = compileSelection(definition, options.labelSelector, options.fieldSelector);
    const opened = store.forms.cache();
    const cache = opened instanceof Promise ? await opened : opened;
    await prepareToSelect(cache, selection);
    const result = await readList({
      cache,
      currentRevision: this.#watch.hub.revisionOf(cache),
      storage: this.#watch.storage,
      prefix: prefixOf(served, exchange.info.namespace ?? selection.namespace),
      selection,
      options,
    });
    const listed = form.transform === 'none' ? definition.resource : metadataResource(form);
    if (form.encoding === 'protobuf') {
      const items = await this.#representations.messages(served, form, result.objects);
      await sendList(exchange, protobufList(listed, result, items));
      return;
    }
    const list =
      form.transform === 'Table'
        ? await this.#representations.tableList(served, form, result, include)
        : jsonList(listHead(listed, result), await this.#listItems(served, form, include, result.objects));
    const isPlain = form.encoding === 'json' && !isLaidOut(exchange, form.isPretty, () => list.sizeBytes);
    if (isPlain) await sendList(exchange, list);
    else sendObject(exchange, 200, joinList(list), form);
  }

  async #listItems(
    served: ServedResource,
    form: Negotiated,
    include: IncludeObject,
    objects: readonly CachedObject[],
  ): Promise<ListItems> {
    const { definition } = served;
    // The original's lists of built-in kinds are typed.
    const isTyped = form.transform === 'none' && !definition.custom;
    const { key, encode } = this.#representations.encoder(served, form, include);
    if (key === '' && isTyped) return ListItems.typed(objects, definition.resource);
    const encoded = key === '' ? objects.map(({ bytes }) => bytes) : await mapInSlices(objects, encode);
    return isTyped ? ListItems.typed(encoded.map(typedItem), definition.resource) : new ListItems(encoded);
  }

  async watch(exchange: Exchange, served: ServedResource): Promise<void> {
    const { definition, store } = served;
    const form = this.#negotiate(exchange, served, false);
    const options = withName(parseListOptions(exchange.query, true), exchange);
    const selection = compileSelection(definition, options.labelSelector, options.fieldSelector);
    const opened = store.forms.cache();
    const cache = opened instanceof Promise ? await opened : opened;
    await prepareToSelect(cache, selection);
    await serveWatch(
      exchange,
      {
        cache,
        prefix: prefixOf(served, exchange.info.namespace ?? selection.namespace),
        selection,
        options,
        ...this.#representations.ofWatch(served, form, includeObject(exchange, form)),
        ...this.#representations.streamOf(form),
        typeMeta: form.transform === 'none' ? definition.resource : metadataResource(form),
      },
      this.#watch,
    );
  }

  #negotiate(exchange: Exchange, { definition }: ServedResource, allowsYaml: boolean): Negotiated {
    const hasProtobuf = (): boolean => !definition.custom && this.#representations.hasMessage(definition.resource);
    return negotiate(header(exchange.request, 'accept'), { allowsTable: true, allowsYaml, hasProtobuf });
  }

  /** An answer that is not stored: the outcome of a write. */
  sendWritten(
    exchange: Exchange,
    served: ServedResource,
    code: number,
    written: { object: object; bytes: Buffer },
  ): void {
    const form = this.#negotiate(exchange, served, true);
    if (form.transform === 'none') {
      sendObject(exchange, code, written.bytes, form);
      return;
    }
    const shown = this.#representations.one(served, form, written.object as never, includeObject(exchange, form));
    sendObject(exchange, code, Buffer.from(JSON.stringify(shown)), form);
  }
}

/** A watch or list of one name is a selection of it. */
function withName(options: ListOptions, { info }: Exchange): ListOptions {
  if (info.name === '') return options;
  const field = `metadata.name=${info.name}`;
  return { ...options, fieldSelector: options.fieldSelector === '' ? field : `${options.fieldSelector},${field}` };
}

const typedItem = (bytes: Buffer): TypedItem => ({
  bytes,
  startsWithType: (prefix) => prefix.compare(bytes, 0, prefix.length) === 0,
});

function prefixOf({ store, definition }: ServedResource, namespace: string | undefined): string {
  return definition.resource.namespaced && namespace !== undefined ? `${store.prefix}${namespace}/` : store.prefix;
}

const metadataResource = (form: Negotiated): { kind: string; apiVersion: string } => ({
  kind: form.transform === 'Table' ? 'Table' : 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${form.transformVersion}`,
});

/** PartialObjectMetadata is the form of one object, PartialObjectMetadataList that of a list. */
function assertShape(form: Negotiated, { definition }: ServedResource, isList: boolean): void {
  if (form.transform !== 'PartialObjectMetadata' || form.isListForm === isList) return;
  const { group, kind } = definition.resource;
  const type = `*${group === '' ? 'core' : (group.split('.')[0] ?? '')}.${kind}${isList ? 'List' : ''}`;
  throw notAcceptable(
    isList
      ? `you requested PartialObjectMetadata, but the requested object is a list (${type})`
      : `you requested PartialObjectMetadataList, but the requested object is not a list (${type})`,
  );
}

function includeObject({ query }: Exchange, form: Negotiated): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (form.transform !== 'Table' || value === '') return 'Metadata';
  if (value === 'Metadata' || value === 'Object' || value === 'None') return value;
  const why = "must be 'Metadata', 'Object', 'None', or empty";
  const { path, message } = invalidField('includeObject', value, why);
  throw badRequest(`Unable to convert to Table as requested: ${path}: ${message}`);
}
