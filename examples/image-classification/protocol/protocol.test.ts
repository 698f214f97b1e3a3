import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadServingProtocol } from './protocol.js';
import { decodeFloats, encodeContentTensor, encodeListTensor, shapeFits } from './tensor.js';

const protocol = loadServingProtocol();

// Written by hand from the public field numbers: key = number << 3 | wire type.
const GOLDEN_REQUEST = Buffer.from(
  [
    '0a18', // model_spec (1), 24 bytes
    '0a01' + '6d', // name (1) "m"
    '1202' + '0807', // version (2): Int64Value { value: 7 }
    '1a0f' + Buffer.from('serving_default').toString('hex'), // signature_name (3)
    '121f', // inputs (2): one map entry, 31 bytes
    '0a05' + Buffer.from('input').toString('hex'), // key (1)
    '1216', // value (2): TensorProto, 22 bytes
    '0801', // dtype (1) DT_FLOAT
    '1208' + '12020801' + '12020802', // tensor_shape (2): dim (2) { size 1 }, dim { size 2 }
    '2208' + '0000803f' + '000000c0', // tensor_content (4): 1, -2
    '1a01' + '70', // output_filter (3) "p"
  ].join(''),
  'hex',
);

test('a PredictRequest has the bytes of the public protocol', () => {
  const message = {
    model_spec: { name: 'm', version: { value: 7 }, signature_name: 'serving_default' },
    inputs: { input: encodeContentTensor({ shape: [1, 2], data: Float32Array.of(1, -2) }) },
    output_filter: ['p'],
  };
  assert.equal(protocol.predict.requestSerialize(message).toString('hex'), GOLDEN_REQUEST.toString('hex'));
  const read = protocol.predict.requestDeserialize(GOLDEN_REQUEST);
  assert.equal(read.model_spec?.version?.value, 7);
  const tensor = read.inputs['input'];
  assert.ok(tensor !== undefined);
  assert.deepEqual(decodeFloats(tensor, [1, 2]), Float32Array.of(1, -2));
});

test('a PredictResponse carries outputs as field 1 and float_val as packed field 5', () => {
  const message = {
    outputs: { p: encodeListTensor({ shape: [1, 1], data: Float32Array.of(0.5) }) },
    model_spec: { name: 'm' },
  };
  const golden = [
    '0a17',
    '0a0170',
    '1212',
    '0801',
    '1208',
    '12020801',
    '12020801',
    '2a04',
    '0000003f',
    '1203',
    '0a016d',
  ];
  assert.equal(protocol.predict.responseSerialize(message).toString('hex'), golden.join(''));
});

test('metadata travels as an Any that holds the bytes of a SignatureDefMap', () => {
  const info = { name: 'x:0', dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: -1 }] } };
  const map = { signature_def: { s: { inputs: { i: info }, outputs: {}, method_name: 'm' } } };
  const golden = [
    '0a25', '0a0173', '1220', // signature_def (1): key "s", SignatureDef of 32 bytes
    '0a1b', '0a0169', '1216', // inputs (1): key "i", TensorInfo of 22 bytes
    '0a03783a30', '1001', // name (1) "x:0", dtype (2) DT_FLOAT
    '1a0d', '120b', '08ffffffffffffffffff01', // tensor_shape (3): dim (2) { size (1): -1 }
    '1a016d', // method_name (3) "m"
  ]; // prettier-ignore
  const bytes = protocol.signatureDefMap.serialize(map);
  assert.equal(bytes.toString('hex'), golden.join(''));
  assert.equal(protocol.signatureDefMap.deserialize(bytes).signature_def['s']?.inputs['i']?.dtype, 'DT_FLOAT');
});

test('fields of the full protocol that are not declared here are skipped', () => {
  const withClientId = Buffer.concat([GOLDEN_REQUEST, Buffer.from('3203616263', 'hex')]); // client_id (6) "abc"
  assert.deepEqual(protocol.predict.requestDeserialize(withClientId).output_filter, ['p']);
});

test('a tensor is only read when its elements fill its shape, the last one repeated', () => {
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: null };
  assert.deepEqual(decodeFloats({ ...tensor, float_val: [1, 2] }, [4]), Float32Array.of(1, 2, 2, 2));
  assert.equal(decodeFloats({ ...tensor, float_val: [] }, [4]), undefined);
  assert.equal(decodeFloats({ ...tensor, float_val: [1, 2, 3] }, [2]), undefined);
  assert.equal(decodeFloats({ ...tensor, tensor_content: Buffer.alloc(12) }, [4]), undefined);
  assert.equal(shapeFits([2, 3], [-1, 3]), true);
  assert.equal(shapeFits([2, 3, 1], [-1, 3]), false);
});
