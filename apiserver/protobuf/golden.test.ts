import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import type { JsonObject } from '../schema/json.js';
import { loadSchemas } from '../schema/schemas.js';
import { ProtobufCodec } from './codec.js';

/** An object of the file, and its two forms. */
interface Golden {
  readonly object: JsonObject;
  readonly bare: Buffer;
  readonly asOfGo: Buffer;
}

function readGolden(text: string): Map<string, Golden> {
  const bytesOf = (lines: string): Buffer => Buffer.from(lines.replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex');
  const sections = text.split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [, kind = '', json = '', bare = '', asOfGo = ''] =
        /^(\w+)\n(.*)\n-- without what is not set\n([^]*)\n-- as Go writes it\n([^]*)$/.exec(section) ?? [];
      return [kind, { object: JSON.parse(json) as JsonObject, bare: bytesOf(bare), asOfGo: bytesOf(asOfGo) }];
    }),
  );
}

const golden = readGolden(readFileSync(resolve('apiserver/protobuf/testdata/golden.txt'), 'utf8'));
const codec = new ProtobufCodec(loadSchemas());

test('the file has objects of these kinds', () => {
  assert.deepEqual([...golden.keys()], ['Pod', 'Deployment', 'Service', 'Node', 'Event', 'Secret']);
});

for (const [kind, { object, bare, asOfGo }] of golden) {
  test(`${kind}: the bytes of the table are written, and read`, () => {
    assert.equal(codec.encode(object)?.toString('hex'), bare.toString('hex'));
    assert.deepEqual(codec.decode(bare), object);
  });

  test(`${kind}: what Go adds for fields that are not set changes nothing`, () => {
    assert.ok(asOfGo.length > bare.length);
    assert.deepEqual(codec.decode(asOfGo), object);
  });
}
