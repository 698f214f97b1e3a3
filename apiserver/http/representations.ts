import type { JsonObject } from '../../shared/api/json.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { CachedObject } from '../cache/cached-object.js';
import { jsonFrame, storedRepresentation, type Representation } from '../cache/frames.js';
import { protobufMediaType } from '../decode/decode.js';
import type { ProtobufCodec } from '../protobuf/codec.js';
import { envelope, watchFrame } from '../protobuf/envelope.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { makeRow, makeTable, partialObjectMetadata, type IncludeObject, type TableOptions } from '../table/table.js';
import type { ListResult } from '../cache/list-reader.js';
import { mapInSlices } from '../../shared/lifecycle/slices.js';
import { jsonList, listMetadata, ListItems, type ListBody } from './list-response.js';
import type { Negotiated } from './accept.js';
import { jsonType } from './respond.js';
import type { WatchRequest } from './watch-response.js';

const asJson = (object: object): JsonObject => object as JsonObject;

/** Turns objects into the forms that clients may ask for. */
export class Representations {
  readonly #clock: Clock;
  readonly #protobuf: ProtobufCodec;
  /** Messages of objects by the version that shows them: made once for each state of an object, like its JSON. */
  readonly #messages = new Map<string, WeakMap<CachedObject, Buffer>>();

  constructor(clock: Clock, protobuf: ProtobufCodec) {
    this.#clock = clock;
    this.#protobuf = protobuf;
  }

  /** Whether whole objects of a kind have a protobuf form. */
  hasMessage(kind: { apiVersion: string; kind: string }): boolean {
    return this.#protobuf.hasMessage(kind);
  }

  /** The protobuf message of an object without an envelope: an item of a list. */
  message(served: ServedResource, form: Negotiated, cached: CachedObject): Buffer {
    if (form.transform === 'none') return this.#wholeMessage(served, cached);
    return this.#protobuf.message(asJson(this.one(served, form, cached.object, 'Metadata'))) ?? Buffer.alloc(0);
  }

  /** The messages of a list. Each is made once; to make thousands at a time would hold up everybody else. */
  messages(served: ServedResource, form: Negotiated, objects: readonly CachedObject[]): Promise<Buffer[]> {
    return mapInSlices(objects, (cached) => this.message(served, form, cached));
  }

  #wholeMessage({ store, definition }: ServedResource, cached: CachedObject): Buffer {
    const { apiVersion, kind } = definition.resource;
    let known = this.#messages.get(`${apiVersion} ${kind}`);
    if (!known) this.#messages.set(`${apiVersion} ${kind}`, (known = new WeakMap()));
    let message = known.get(cached);
    if (!message) {
      message = this.#protobuf.message(asJson(store.forms.toView(cached.object))) ?? Buffer.alloc(0);
      known.set(cached, message);
    }
    return message;
  }

  /** For lists and watches, object by object. */
  encoder(served: ServedResource, form: Negotiated, includeObject: IncludeObject): Representation {
    const { store, definition } = served;
    const { apiVersion } = definition.resource;
    if (form.encoding === 'protobuf') return this.#protobufEncoder(served, form);
    if (form.transform === 'none') {
      if (!definition.storedAs) return storedRepresentation;
      return { key: `view ${apiVersion}`, encode: (cached) => store.forms.viewBytes(cached), frame: jsonFrame };
    }
    return {
      key: `${form.transform} ${form.transformVersion} ${includeObject} ${apiVersion}`,
      encode: (cached) => Buffer.from(JSON.stringify(this.one(served, form, cached.object, includeObject))),
      frame: jsonFrame,
    };
  }

  #protobufEncoder(served: ServedResource, form: Negotiated): Representation {
    const { apiVersion, kind } = served.definition.resource;
    const typeMeta =
      form.transform === 'none'
        ? { apiVersion, kind }
        : { apiVersion: `meta.k8s.io/${form.transformVersion}`, kind: form.transform };
    return {
      key: `protobuf ${apiVersion} ${typeMeta.kind} ${typeMeta.apiVersion}`,
      encode: (cached) => envelope(typeMeta, this.message(served, form, cached)),
      frame: watchFrame,
    };
  }

  /** How a watch in this form tells of bookmarks and errors, and of what type its stream is. */
  streamOf({ encoding }: Negotiated): Pick<WatchRequest, 'contentType' | 'notice'> {
    if (encoding !== 'protobuf') {
      const notice: WatchRequest['notice'] = (type, object) => jsonFrame(type, Buffer.from(JSON.stringify(object)));
      return { contentType: jsonType, notice };
    }
    return {
      contentType: `${protobufMediaType};stream=watch`,
      notice: (type, object) => watchFrame(type, this.#protobuf.encode(asJson(object)) ?? Buffer.alloc(0)),
    };
  }

  /** For a watch: in a stream of tables only the first one defines the columns. */
  ofWatch(
    served: ServedResource,
    form: Negotiated,
    includeObject: IncludeObject,
  ): { representation: Representation; firstRepresentation?: Representation } {
    const whole = this.encoder(served, form, includeObject);
    if (form.transform !== 'Table') return { representation: whole };
    const apiVersion = `meta.k8s.io/${form.transformVersion}`;
    const encode = (cached: CachedObject): Buffer => {
      const { object } = cached;
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      const nowMs = this.#clock.now();
      const show = (one: KubernetesObject): KubernetesObject => served.store.forms.toView(one);
      const options = { includeObject, apiVersion, metadata, show, nowMs, withoutColumns: true };
      return Buffer.from(JSON.stringify(makeTable(served.definition, [object], options)));
    };
    return { representation: { key: `${whole.key} rows`, encode, frame: jsonFrame }, firstRepresentation: whole };
  }

  one(served: ServedResource, form: Negotiated, object: KubernetesObject, includeObject: IncludeObject): object {
    if (form.transform === 'PartialObjectMetadata')
      return partialObjectMetadata(object, `meta.k8s.io/${form.transformVersion}`);
    const { resourceVersion } = object.metadata;
    return this.table(served, form, [object], includeObject, { resourceVersion });
  }

  table(
    served: ServedResource,
    form: Negotiated,
    objects: readonly KubernetesObject[],
    includeObject: IncludeObject,
    metadata: Record<string, unknown>,
  ): object {
    return makeTable(served.definition, objects, this.#tableOptions(served, form, includeObject, metadata));
  }

  /** A Table of a whole list, made piece by piece. */
  async tableList(
    served: ServedResource,
    form: Negotiated,
    { objects, ...result }: ListResult,
    includeObject: IncludeObject,
  ): Promise<ListBody> {
    const metadata = listMetadata({ objects, ...result });
    const options = this.#tableOptions(served, form, includeObject, metadata);
    const { definition } = served;
    const { compareRows } = definition;
    const ordered = compareRows ? objects.toSorted((a, b) => compareRows(a.object, b.object)) : objects;
    const rows = await mapInSlices(ordered, ({ object }) =>
      Buffer.from(JSON.stringify(makeRow(definition, object, options))),
    );
    const empty = JSON.stringify(makeTable(definition, [], options));
    return jsonList(Buffer.from(empty.slice(0, -']}'.length)), new ListItems(rows));
  }

  #tableOptions(
    served: ServedResource,
    form: Negotiated,
    includeObject: IncludeObject,
    metadata: Record<string, unknown>,
  ): TableOptions {
    const apiVersion = `meta.k8s.io/${form.transformVersion}`;
    const show = (object: KubernetesObject): KubernetesObject => served.store.forms.toView(object);
    return { includeObject, apiVersion, metadata, show, nowMs: this.#clock.now() };
  }
}
