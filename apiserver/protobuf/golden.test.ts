import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSchemas } from '../schema/schemas.js';
import { ProtobufCodec } from './codec.js';
import { readGolden } from './testing/golden.js';

const golden = readGolden();
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
