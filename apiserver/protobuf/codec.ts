import { badRequest } from '../decode/errors.js';
import { definitionOfKind } from '../openapi/kind-names.js';
import type { JsonObject } from '../schema/json.js';
import type { StructType } from '../schema/schema-type.js';
import type { Schemas } from '../schema/schemas.js';
import { decodeMessage, kindOf, openEnvelope } from './decode.js';
import { encodeMessage } from './encode.js';
import { loadMessages, type Messages } from './messages.js';
import { ProtobufError } from './reader.js';
import { ProtobufWriter } from './wire.js';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
/** Kinds that every group has under its own versions. */
const metaKinds = new Set(['DeleteOptions', 'Status', 'WatchEvent', 'APIGroup', 'APIGroupList', 'APIResourceList']);
const magic = Buffer.from('k8s\0');

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

  /** Encodes an object in its envelope; undefined for a kind without a message: it travels as JSON. */
  encode(object: JsonObject): Buffer | undefined {
    const { apiVersion, kind } = kindOf(object);
    const structure = this.#structure(apiVersion, kind);
    if (!structure) return undefined;
    const raw = encodeMessage(object, structure, this.#table());
    const writer = new ProtobufWriter();
    writer.message(1, (w) => w.string(1, apiVersion).string(2, kind)).bytes(2, raw);
    // The original writes both, empty.
    writer.string(3, '').string(4, '');
    return Buffer.concat([magic, writer.finish()]);
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
