import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from '../../shared/errors/testing/refusal.js';
import { loadSchemas } from '../schema/schemas.js';
import { decodeBody, decodePatched, type DecodeOptions } from './decode.js';
import { parsePatch } from './parse.js';
import { processorWatch } from '../../shared/clock/processor-time.js';

const schemas = loadSchemas();
const options: DecodeOptions = {
  expected: { apiVersion: 'apps/v1', kind: 'Deployment' },
  structure: schemas.type('io.k8s.api.apps.v1.Deployment'),
};
const decode = (text: string, extra: Partial<DecodeOptions> = {}, contentType = 'application/json') =>
  decodeBody(Buffer.from(text), contentType, { ...options, ...extra });
const deployment = (spec: string): string => `{"apiVersion":"apps/v1","kind":"Deployment","spec":${spec}}`;

test('apiVersion and kind default to those of the path', () => {
  assert.deepEqual(decode('{"spec":{"replicas":1}}').object, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: { replicas: 1 },
  });
});

test('a wrong type is a 400 in the words of the original', () => {
  const error = refusal(() => decode(deployment('{"replicas":"x"}')));
  assert.equal(error.code, 400);
  assert.equal(error.reason, 'BadRequest');
  assert.equal(
    error.message,
    'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
});

test('a body of another kind or version is refused', () => {
  assert.equal(
    refusal(() => decode('{"apiVersion":"v1","kind":"Pod"}')).message,
    'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion',
  );
  assert.equal(
    refusal(() => decode('{"apiVersion":"apps/v1beta1","kind":"Deployment"}')).message,
    'the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)',
  );
  assert.equal(
    refusal(() => decode('{"apiVersion":"v1","kind":"Nope"}', { isKnownKind: () => false })).message,
    'Nope in version "v1" cannot be handled as a Deployment: no kind "Nope" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  );
});

test('unknown and duplicate fields are refused, told, or ignored', () => {
  const text = deployment('{"replicas":1,"replicas":2,"foo":1}');
  assert.deepEqual(decode(text, { fieldValidation: 'Ignore' }).warnings, []);
  const warned = decode(text);
  assert.deepEqual(warned.warnings, ['duplicate field "spec.replicas"', 'unknown field "spec.foo"']);
  assert.deepEqual(warned.object['spec'], { replicas: 2 });
  assert.equal(
    refusal(() => decode(text, { fieldValidation: 'Strict' })).message,
    'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: duplicate field "spec.replicas", unknown field "spec.foo"',
  );
});

test('a misspelt field comes with what was probably meant', () => {
  const text = deployment('{"replcas":1,"template":{"spec":{"containers":[{"imgae":"x","zzz":1}]}}}');
  const error = refusal(() => decode(text, { fieldValidation: 'Strict' }));
  assert.deepEqual(error.details?.causes, [
    { reason: 'FieldValueInvalid', message: 'unknown field, did you mean "replicas"?', field: 'spec.replcas' },
    {
      reason: 'FieldValueInvalid',
      message: 'unknown field, did you mean "image"?',
      field: 'spec.template.spec.containers[0].imgae',
    },
    { reason: 'FieldValueInvalid', message: 'unknown field', field: 'spec.template.spec.containers[0].zzz' },
  ]);
});

test('a value of a wrong form comes with its place, whatever the message says of it', () => {
  const container = (fields: string): string => deployment(`{"template":{"spec":{"containers":[{${fields}}]}}}`);
  const at = 'spec.template.spec.containers[0]';
  const table: readonly (readonly [string, string, string])[] = [
    [
      '"resources":{"limits":{"cpu":"1x"}}',
      `${at}.resources.limits.cpu`,
      'quantities must match the regular expression',
    ],
    ['"image":5', `${at}.image`, 'json: cannot unmarshal number into Go struct field Container.'],
    ['"ports":{}', `${at}.ports`, 'json: cannot unmarshal object into Go struct field Container.'],
  ];
  for (const [fields, field, beginning] of table) {
    const error = refusal(() => decode(container(fields)));
    const [cause] = error.details?.causes ?? [];
    assert.deepEqual([cause?.reason, cause?.field], ['FieldValueInvalid', field]);
    assert.ok(cause?.message?.startsWith(beginning), cause?.message);
    assert.ok(error.message.endsWith(cause?.message ?? '-'));
  }
});

test('duplicates are found at any depth, once each, and not in strings', () => {
  const spec =
    '{"template":{"spec":{"containers":[{"name":"{\\"a\\":1,\\"a\\":2}"},{"name":"a","name":"b","name":"c"}]}}}';
  assert.deepEqual(decode(deployment(spec)).warnings, ['duplicate field "spec.template.spec.containers[1].name"']);
});

test('broken JSON is told as Go tells it', () => {
  const cases: [text: string, fault: string][] = [
    ['', 'unexpected end of JSON input (<empty>)'],
    ['{"a":', 'unexpected end of JSON input ({"a":)'],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string ({'a':1})"],
    ['{"a" 1}', `invalid character '1' after object key ({"a" 1})`],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair ({"a":1 "b"})`],
    ['{"a":[1 2]}', `invalid character '2' after array element ({"a":[1 2]})`],
    ['{"a":tru}', `invalid character '}' in literal true (expecting 'e') ({"a":tru})`],
    ['{"a":01}', `invalid character '1' after object key:value pair ({"a":01})`],
    ['{"a":1.}', `invalid character '}' after decimal point in numeric literal ({"a":1.})`],
    ['{"a":"\\x"}', `invalid character 'x' in string escape code ({"a":"\\x"})`],
    ['{} {}', `invalid character '{' after top-level value ({} {})`],
    ['nope', `invalid character 'o' in literal null (expecting 'u') (6e6f7065)`],
  ];
  for (const [text, fault] of cases) {
    const prefix =
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: ";
    assert.equal(refusal(() => decode(text)).message, prefix + fault);
  }
});

test('YAML is read as kubectl reads it', () => {
  const text = 'apiVersion: apps/v1\nkind: Deployment\nspec:\n  paused: no\n  replicas: 010\n  replicas: 0x10\n';
  const { object, warnings } = decode(text, {}, 'application/yaml; charset=utf-8');
  assert.deepEqual(object['spec'], { paused: false, replicas: 16 });
  assert.deepEqual(warnings, ['yaml: line 6: key "replicas" already set in map']);
  const broken = refusal(() => decode('a: b: c', {}, 'application/yaml'));
  assert.match(broken.message, /yaml: line 1: column \d+: Nested mappings/);
});

test('other media types are a 415 that lists what is read', () => {
  for (const type of ['application/cbor', 'text/plain', 'application/vnd.kubernetes.protobuf']) {
    const error = refusal(() => decode('{}', {}, type));
    assert.equal(error.code, 415);
    assert.equal(
      error.message,
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    );
  }
  assert.equal(decodeBody(Buffer.from('{}'), undefined, options).object['kind'], 'Deployment');
});

test('a body over the limit is a 413', () => {
  const error = refusal(() => decode(`{"a":"${'x'.repeat(100)}"}`, { maxBytes: 100 }));
  assert.deepEqual([error.code, error.message], [413, 'Request entity too large: limit is 100']);
});

test('the outcome of a patch is a 422 that shows it', () => {
  const patched = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 'x' } };
  const error = refusal(() => decodePatched(patched, '{"spec":1}', [], options));
  assert.equal(error.code, 422);
  assert.match(
    error.message,
    /^ "" is invalid: patch: Invalid value: "\{\\"spec\\":1\}": json: cannot unmarshal string/,
  );
  assert.equal(error.details?.causes?.[0]?.field, 'patch');
});

test('hostile bodies are refused within a second', () => {
  const million = 1_000_000;
  const bodies: [string, string][] = [
    ['application/json', '['.repeat(million)],
    ['application/json', '{"a":'.repeat(200_000)],
    ['application/json', `{"spec":${'{"a":'.repeat(600)}1${'}'.repeat(600)}}`],
    ['application/json', '"'.repeat(million)],
    ['application/json', `{"spec":{"replicas":${'9'.repeat(million)}}}`],
    ['application/json', '{"spec":{"replicas":1e400}}'],
    ['application/json', '{"__proto__":{"kind":"x"},"kind":{"toString":1}}'],
    ['application/json', '[]'],
    ['application/json', 'null'],
    ['application/yaml', '['.repeat(million / 2)],
    ['application/yaml', '{a: '.repeat(200_000)],
    ['application/yaml', '- '.repeat(400_000)],
    ['application/yaml', '? '.repeat(400_000)],
    [
      'application/yaml',
      `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]\n`).join('')}`,
    ],
    ['application/yaml', '&a [*a]'],
    ['application/yaml', 'spec: {replicas: .inf}'],
    ['application/yaml', '"'.repeat(100_000)],
    ['application/yaml', '\u0000\u0001'],
    ['application/yaml', '[]'.repeat(million)],
    ['application/yaml', '&a '.repeat(million)],
    ['application/yaml', Array.from({ length: 200_000 }, (_, i) => `k${i}: 1`).join('\n')],
  ];
  for (const [type, body] of bodies) {
    const spentMs = processorWatch();
    const error = refusal(() => decode(body, { fieldValidation: 'Strict' }, type));
    const tookMs = spentMs();
    const label = `${type} ${body.slice(0, 20)}`;
    assert.ok(error.code >= 400 && error.code < 500, `${label}: ${error.message}`);
    assert.ok(tookMs < 1000, `${label} took ${tookMs} ms`);
  }
});

test('a refusal repeats no more than a part of what was sent', () => {
  const long = 'x'.repeat(1_000_000);
  const refusals = [
    refusal(() => decode(deployment(`{"${long}":1}`), { fieldValidation: 'Strict' })),
    refusal(() => decode(`{"kind":"${long}"}`)),
    refusal(() => decode(`{"apiVersion":"${long}"}`)),
    refusal(() => decode(`{"metadata":{"creationTimestamp":"${long}"}}`)),
    refusal(() => decodePatched({ spec: 1 }, long, [], options)),
  ];
  for (const error of refusals) assert.ok(JSON.stringify(error.toStatus()).length < 50_000, error.message.slice(0, 80));
});

test('invalid UTF-8 is replaced, not passed on', () => {
  const bytes = Buffer.concat([Buffer.from('{"metadata":{"name":"'), Buffer.from([0xff]), Buffer.from('"}}')]);
  const { object } = decodeBody(bytes, 'application/json', options);
  assert.deepEqual(object['metadata'], { name: '\ufffd' });
});

test('a patch that cannot be parsed is a 400', () => {
  assert.equal(refusal(() => parsePatch(Buffer.from('{'), false)).code, 400);
  assert.deepEqual(parsePatch(Buffer.from('a: 1'), true).value, { a: 1 });
});
