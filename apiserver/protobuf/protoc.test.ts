import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../shared/api/json.js';
import { definitions } from '../kinds/index.js';
import { loadSchemas } from '../schema/schemas.js';
import { checkStructure } from '../schema/structure.js';
import { ProtobufCodec } from './codec.js';
import { envelope } from './envelope.js';
import { loadMessageTable, messageName } from './messages.js';
import { readFields } from './reader.js';
import { objectOf } from './testing/arbitrary-object.js';
import { protoFile } from './testing/proto-file.js';
import { ProtobufWriter } from './wire.js';
import { testFolder } from '../testing/test-folder.js';

const schemas = loadSchemas();
const codec = new ProtobufCodec(schemas);
const kinds = definitions.map(({ resource: { apiVersion, kind, definition = '' } }) => ({
  apiVersion,
  kind,
  type: schemas.type(definition),
  message: messageName(definition),
}));

describe('protoc, which has the numbers of fields and none of our code', () => {
  const folder = testFolder('protoc');
  const protoc = (direction: '--decode' | '--encode', input: Buffer): Buffer =>
    execFileSync('protoc', [`--proto_path=${folder}`, `${direction}=Batch`, 'all.proto'], {
      input,
      cwd: folder,
      maxBuffer: 64 * 1024 * 1024,
    });
  before(() => {
    const roots = kinds.map(({ message }) => message);
    writeFileSync(join(folder, 'all.proto'), protoFile(loadMessageTable(schemas), roots));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('knows every field that we write of every built-in kind, and what it writes we read as the same object', () => {
    const anyOfEach = fc.tuple(...kinds.map(({ type }) => objectOf(type, 0)));
    const travel = (given: readonly JsonObject[]): void => {
      const writer = new ProtobufWriter();
      const objects = given.map((fields, index) => {
        const { apiVersion, kind, type } = kinds[index] ?? assert.fail();
        // As the server stores it: with empty what a type demands.
        const { object } = checkStructure({ apiVersion, kind, ...fields }, type);
        writer.bytes(index + 1, codec.message(object) ?? assert.fail(`no message of ${kind}`));
        return object;
      });
      const text = protoc('--decode', writer.finish());
      assert.doesNotMatch(text.toString(), /^ *\d+[: ]/m, 'a field that is not in the table');
      const back = [...readFields(protoc('--encode', text))];
      assert.deepEqual(
        back.map(({ number }) => number),
        kinds.map((_, index) => index + 1),
      );
      back.forEach(({ bytes }, index) => {
        const { apiVersion, kind, type } = kinds[index] ?? assert.fail();
        const read = codec.decode(envelope({ apiVersion, kind }, Buffer.from(bytes ?? [])));
        assert.deepEqual(checkStructure(read, type).object, objects[index], kind);
      });
    };
    fc.assert(fc.property(anyOfEach, travel), { numRuns: 6, endOnFailure: true });
  });
});
