import { ProtobufWriter } from './wire.js';

/** What protobuf answers and bodies begin with. */
export const magic = Buffer.from('k8s\0');
/** Encoding (3) and type (4) of the content: the original writes both, empty. */
const end = Buffer.from([0x1a, 0, 0x22, 0]);

interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Puts the message of an object into its envelope: four magic bytes, then runtime.Unknown. */
export function envelope(typeMeta: TypeMeta, message: Buffer): Buffer {
  const { head, tail } = envelopeAround(typeMeta, message.length);
  return Buffer.concat([head, message, tail], head.length + message.length + tail.length);
}

/** What stands before and after a message of `sizeBytes`, for one that is sent in pieces. */
export function envelopeAround({ apiVersion, kind }: TypeMeta, sizeBytes: number): { head: Buffer; tail: Buffer } {
  const writer = new ProtobufWriter();
  writer.message(1, (w) => w.string(1, apiVersion).string(2, kind)).lengthOf(2, sizeBytes);
  return { head: Buffer.concat([magic, writer.finish()]), tail: end };
}

/** One event of a watch: its length in four bytes, then a WatchEvent without an envelope around an object with one. */
export function watchFrame(type: string, object: Buffer): Buffer {
  const event = new ProtobufWriter()
    .string(1, type)
    .message(2, (raw) => raw.bytes(1, object))
    .finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}
