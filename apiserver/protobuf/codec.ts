import { isObject, type JsonObject } from '../../shared/api/json.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { definitionOfKind } from '../openapi/kind-names.js';
import type { StructType } from '../schema/schema-type.js';
import type { Schemas } from '../schema/schemas.js';
import { decodeMessage, kindOf, openEnvelope } from './decode.js';
import { encodeMessage } from './encode.js';
import { envelope } from './envelope.js';
import { loadMessages, type Messages } from './messages.js';
import { ProtobufError } from './reader.js';
import { ProtobufWriter } from './wire.js';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
/** Kinds that every group has under its own versions. */
const metaKinds = new Set([
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'DeleteOptions',
  'Status',
  'WatchEvent',
]);

/** Kubernetes' protobuf form of the built-in kinds. The table is read when it is first needed. */
export class ProtobufCodec {
  readonly #schemas: Schemas;
  #messages: Messages | undefined;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /**
   * Decodes an object to its JSON form. A kind without a message comes back as its apiVersion and kind only, for the
   * caller to refuse.
   * @throws StatusError 400
   */
  decode(bytes: Uint8Array): JsonObject {
    try {
      const { apiVersion, kind, raw } = openEnvelope(bytes);
      const structure = this.#structure(apiVersion, kind);
      return { apiVersion, kind, ...(structure ? decodeMessage(raw, structure, this.#table()) : {}) };
    } catch (error) {
      if (!(error instanceof ProtobufError)) throw error;
      throw badRequest(`the object provided is unrecognized: ${error.message}`);
    }
  }

  /** Whether objects of a kind can be encoded. */
  hasMessage({ apiVersion, kind }: { apiVersion: string; kind: string }): boolean {
    return this.#structure(apiVersion, kind) !== undefined;
  }

  /** Encodes an object in its envelope; undefined for a kind without a message: it travels as JSON. */
  encode(object: JsonObject): Buffer | undefined {
    const message = this.message(object);
    const { apiVersion, kind } = kindOf(object);
    // Documents of discovery that say no version in JSON are of v1.
    return message && envelope({ apiVersion: apiVersion || 'v1', kind }, message);
  }

  /** The message of an object without its envelope, as it stands in a list. */
  message(object: JsonObject): Buffer | undefined {
    const { apiVersion, kind } = kindOf(object);
    if (apiVersion.startsWith('meta.k8s.io/') && kind.startsWith('PartialObjectMetadata')) {
      return kind.endsWith('List') ? this.#partialList(object, apiVersion) : this.#partial(object);
    }
    const structure = this.#structure(apiVersion, kind);
    return structure && encodeMessage(object, structure, this.#table());
  }

  #partial({ metadata }: JsonObject): Buffer {
    const bytes = isObject(metadata) ? encodeMessage(metadata, this.#metaType('ObjectMeta'), this.#table()) : undefined;
    return new ProtobufWriter().bytes(1, bytes ?? Buffer.alloc(0)).finish();
  }

  #partialList({ metadata, items }: JsonObject, apiVersion: string): Buffer {
    const { metadataField, itemsField } = listFields(apiVersion);
    const writer = new ProtobufWriter();
    const head = isObject(metadata) ? encodeMessage(metadata, this.#metaType('ListMeta'), this.#table()) : undefined;
    writer.bytes(metadataField, head ?? Buffer.alloc(0));
    for (const item of Array.isArray(items) ? items : []) {
      if (isObject(item)) writer.bytes(itemsField, this.#partial(item));
    }
    return writer.finish();
  }

  #metaType(name: string): StructType {
    return this.#schemas.type(`${meta}.${name}`);
  }

  #structure(apiVersion: string, kind: string): StructType | undefined {
    if (metaKinds.has(kind)) return this.#table().structure(`${meta}.${kind}`);
    const slash = apiVersion.indexOf('/');
    const gvk = { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind };
    const definition = definitionOfKind(gvk);
    return definition === undefined ? undefined : this.#table().structure(definition);
  }

  #table(): Messages {
    this.#messages ??= loadMessages(this.#schemas);
    return this.#messages;
  }
}

/** Lists have their metadata first and their items second, but for one that was made the other way round. */
export function listFields(apiVersion: string): { metadataField: number; itemsField: number } {
  return apiVersion === 'meta.k8s.io/v1beta1'
    ? { metadataField: 2, itemsField: 1 }
    : { metadataField: 1, itemsField: 2 };
}
