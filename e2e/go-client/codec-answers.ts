import type { JsonObject } from '../../shared/api/json.js';
import { ProtobufCodec } from '../../apiserver/protobuf/codec.js';
import { loadSchemas } from '../../apiserver/schema/schemas.js';

interface Encoded {
  /** In base64. */
  readonly protobuf: string;
  readonly json: string;
}

/** Answers the questions of the suite `codec`: which kinds are known, and what becomes of objects in their two forms. */
export function codecAnswers(): (question: Readonly<Record<string, unknown>>) => unknown {
  const codec = new ProtobufCodec(loadSchemas());
  const isKnown = (name: string): boolean => {
    const [apiVersion = '', kind = ''] = name.split(' ');
    return codec.hasMessage({ apiVersion, kind });
  };
  const convert = ({ protobuf, json }: Encoded): object => {
    try {
      return {
        json: JSON.stringify(codec.decode(Buffer.from(protobuf, 'base64'))),
        protobuf: codec.encode(JSON.parse(json) as JsonObject)?.toString('base64'),
      };
    } catch (error) {
      return { failure: error instanceof Error ? error.stack : String(error) };
    }
  };
  return ({ known, convert: objects }) =>
    Array.isArray(known) ? (known as string[]).filter(isKnown) : (objects as Encoded[]).map(convert);
}
