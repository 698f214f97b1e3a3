import { isObject } from '../../shared/api/json.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { mapInSlices } from '../../shared/lifecycle/slices.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { compileSelection, prepareToSelect } from '../cache/selection.js';
import { parseListOptions } from '../cache/list-options.js';
import { readList } from '../cache/list-reader.js';
import type { CacheHub } from '../cache/cache-hub.js';
import { deletionAnswersObject } from '../registry/deletion-answer.js';
import type { FieldManagement } from '../registry/field-management.js';
import type { ResourceDefinition } from '../registry/definition.js';
import { checkGivenName, checkNamespace, timestamp } from '../registry/object-metadata.js';
import type { ResourceStore } from '../registry/resource-store.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { modified, notFound } from '../registry/status-errors.js';
import type { UpdateMode } from '../registry/update-preparation.js';
import type { WriteOptions } from '../registry/write-options.js';
import type { Storage } from '../storage/storage.js';
import type { RequestInfo } from './request-info.js';
import { encodeTyped } from '../registry/encoding.js';
import { plainEncoding } from './accept.js';
import { readBody } from './body.js';
import { header, type Exchange } from './exchange.js';
import { joinList, jsonList, listHead, ListItems, sendList } from './list-response.js';
import { expectedOf, type ObjectCodec, type ParsedPatch } from './object-codec.js';
import type { ResourceReader } from './resource-reader.js';
import { sendJson, sendObject } from './respond.js';
import { deleteOptions, writeOptions } from './write-request.js';

export interface WriterDependencies {
  readonly codec: ObjectCodec;
  readonly reader: ResourceReader;
  readonly fieldManagement: FieldManagement;
  readonly hub: CacheHub;
  readonly storage: Storage;
}

/** Answers create, update, patch, delete and deletecollection. */
export class ResourceWriter {
  readonly #given: WriterDependencies;

  constructor(given: WriterDependencies) {
    this.#given = given;
  }

  async create(exchange: Exchange, served: ServedResource): Promise<void> {
    const { info } = exchange;
    const options = writeOptions(exchange);
    const object = await this.#decode(exchange, served, options);
    const result = await served.store.create(info.namespace, object, options);
    exchange.audit?.named(result.object.metadata.name);
    this.#given.reader.sendWritten(exchange, served, 201, result);
  }

  async update(exchange: Exchange, served: ServedResource): Promise<void> {
    const { info } = exchange;
    const options = writeOptions(exchange);
    const object = await this.#decode(exchange, served, options);
    const mode = { subresource: info.subresource };
    const result = await served.store.update(info.namespace, info.name, object, options, mode);
    this.#given.reader.sendWritten(exchange, served, result.isCreated ? 201 : 200, result);
  }

  async patch(exchange: Exchange, served: ServedResource): Promise<void> {
    const { info, request } = exchange;
    const options = writeOptions(exchange);
    const { custom } = served.definition;
    const form = { fieldValidation: options.fieldValidation, ...(custom ? { custom } : {}) };
    const patch = this.#given.codec.parsePatch(await readBody(exchange), header(request, 'content-type'), form);
    const mode: UpdateMode = { subresource: info.subresource, isPatch: true, isApply: patch.type === 'apply' };
    const result =
      patch.type === 'apply'
        ? await this.#apply(exchange, served, patch, options, mode)
        : await this.#patch(exchange, served, patch, options, mode);
    this.#given.reader.sendWritten(exchange, served, result.isCreated ? 201 : 200, result);
  }

  async delete(exchange: Exchange, served: ServedResource): Promise<void> {
    const { info, query } = exchange;
    const { deletion, options } = await this.#deletion(exchange);
    const { object, isRemoved } = await served.deleter.delete(info.namespace, info.name, deletion, options);
    const isAccepted = !isRemoved && query.get('orphanDependents') === 'false';
    if (!isRemoved || deletionAnswersObject(served.definition.resource)) {
      const bytes = Buffer.from(JSON.stringify(served.store.forms.toView(object)));
      this.#given.reader.sendWritten(exchange, served, isAccepted ? 202 : 200, { object, bytes });
      return;
    }
    const { resource } = served.definition;
    sendJson(exchange, 200, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: info.name,
        ...(resource.group ? { group: resource.group } : {}),
        kind: resource.resource,
        uid: object.metadata.uid,
      },
    });
  }

  async deleteCollection(exchange: Exchange, served: ServedResource): Promise<void> {
    const { info, query } = exchange;
    const { deletion, options } = await this.#deletion(exchange);
    const list = parseListOptions(query, false);
    const selection = compileSelection(served.definition, list.labelSelector, list.fieldSelector);
    const { prefix } = served.store;
    const cache = await served.store.forms.cache();
    await prepareToSelect(cache, selection);
    const { hub, storage } = this.#given;
    const found = await readList({
      cache,
      currentRevision: hub.revisionOf(cache),
      storage,
      prefix: info.namespace === undefined ? prefix : `${prefix}${info.namespace}/`,
      selection,
      options: list,
    });
    const items = await served.deleter.deleteAll(found.objects, deletion, options);
    const bytes = await mapInSlices(items, (item) => encodeTyped(served.store.forms.toView(item)));
    const head = listHead(served.definition.resource, { objects: [], revision: hub.revision });
    const answer = jsonList(head, new ListItems(bytes));
    const encoding = plainEncoding(header(exchange.request, 'accept'));
    if (encoding === 'json') await sendList(exchange, answer);
    else sendObject(exchange, 200, joinList(answer), { encoding, isPretty: false });
  }

  async #decode(exchange: Exchange, served: ServedResource, options: WriteOptions): Promise<KubernetesObject> {
    const { request } = exchange;
    const { definition } = served;
    const bytes = await readBody(exchange);
    const object = this.#given.codec.decode(bytes, header(request, 'content-type'), expectedOf(definition), options);
    object.metadata ??= {} as KubernetesObject['metadata'];
    exchange.audit?.sent(object.metadata);
    return served.store.forms.toStored(object);
  }

  #patch(exchange: Exchange, served: ServedResource, patch: ParsedPatch, options: WriteOptions, mode: UpdateMode) {
    const { info } = exchange;
    const { store, definition } = served;
    return store.modify(info.namespace, info.name, options, mode, (current, shared) => {
      const next = this.#given.codec.applyPatch(patch, store.forms.toView(current), expectedOf(definition), options);
      next.metadata ??= {} as KubernetesObject['metadata'];
      checkIdentity(definition, next, info);
      if (next.metadata.resourceVersion && next.metadata.resourceVersion !== String(shared.revision)) {
        throw modified(definition.resource, info.name);
      }
      return store.forms.toStored(next);
    });
  }

  async #apply(
    exchange: Exchange,
    served: ServedResource,
    patch: ParsedPatch,
    options: WriteOptions,
    mode: UpdateMode,
  ) {
    const { info } = exchange;
    const { store, definition } = served;
    if (!isObject(patch.value)) throw badRequest('error decoding patch: the applied configuration must be an object');
    const merge = async (live: KubernetesObject | undefined): Promise<KubernetesObject> => {
      const applied = structuredClone(patch.value) as KubernetesObject;
      const next = await this.#given.fieldManagement.apply(
        {
          definition,
          manager: options.fieldManager,
          subresource: info.subresource,
          time: timestamp(store.dependencies.clock.now()),
          force: options.force,
        },
        live && store.forms.toView(live),
        applied,
      );
      return store.forms.toStored(next);
    };
    if (!store.find(info.namespace, info.name)) {
      if (info.subresource !== '') throw notFound(definition.resource, info.name);
      return createApplied(store, info, await merge(undefined), options);
    }
    return store.modify(info.namespace, info.name, options, mode, async (current, shared) => {
      const next = await merge(current);
      checkIdentity(definition, next, info);
      const wanted = (patch.value as KubernetesObject).metadata?.resourceVersion;
      if (wanted && wanted !== String(shared.revision)) throw modified(definition.resource, info.name);
      return next;
    });
  }

  async #deletion(exchange: Exchange) {
    const { request } = exchange;
    const bytes = await readBody(exchange);
    const body =
      bytes.length === 0 ? undefined : this.#given.codec.decodeOptions(bytes, header(request, 'content-type'));
    const options = writeOptions(exchange);
    const { deletion, isDryRun } = deleteOptions(exchange, body);
    return { deletion, options: { ...options, isDryRun: options.isDryRun || isDryRun } };
  }
}

/** @throws StatusError 400 where a patch would rename or move the object */
function checkIdentity(definition: ResourceDefinition, next: KubernetesObject, { namespace, name }: RequestInfo): void {
  checkNamespace(definition, next, namespace);
  checkGivenName(next, name);
}

function createApplied(store: ResourceStore, info: Exchange['info'], object: KubernetesObject, options: WriteOptions) {
  return store.create(info.namespace, object, options, info.name, true);
}
