import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSchemas } from './schemas.js';
import { checkStructure, StructureError } from './structure.js';

const schemas = loadSchemas();
const deployment = schemas.type('io.k8s.api.apps.v1.Deployment');
const pod = schemas.type('io.k8s.api.core.v1.Pod');
const check = (value: object, type = pod): unknown => checkStructure(JSON.parse(JSON.stringify(value)), type).object;
const failure = (value: object, type = pod): string => {
  try {
    checkStructure(value as Record<string, unknown>, type);
  } catch (error) {
    assert.ok(error instanceof StructureError);
    return error.message;
  }
  throw new Error('the value was accepted');
};

test('every definition compiles', () => {
  for (const name of schemas.definitions()) assert.equal(schemas.type(name).kind, 'struct');
  assert.ok(schemas.definitions().length > 700);
});

test('a wrong scalar is told with the struct, the path and the Go type', () => {
  assert.equal(
    failure({ spec: { replicas: 'three' } }, deployment),
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
  assert.equal(
    failure({ spec: { containers: [{ name: 'a', env: [{ name: 'X', value: 1 }] }] } }),
    'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
  );
  assert.equal(
    failure({ metadata: { labels: { a: true } } }),
    'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
  );
  assert.equal(
    failure({ spec: { containers: {} } }),
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  );
  assert.equal(
    failure({ spec: { replicas: 3_000_000_000 } }, deployment),
    'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
});

test('an int64 that has lost digits is refused', () => {
  assert.match(failure({ spec: { activeDeadlineSeconds: 2 ** 53 } }), /number 9007199254740992 .*of type int64/);
});

test('nulls and empty optional lists and maps are the same as nothing', () => {
  assert.deepEqual(
    check({
      metadata: { name: 'a', creationTimestamp: null, labels: {} },
      spec: { containers: [], volumes: [] },
      status: {},
    }),
    { metadata: { name: 'a' }, spec: { containers: [] }, status: {} },
  );
});

test('quantities, times and base64 take the form in which the server writes them', () => {
  const container = { name: 'a', resources: { limits: { cpu: 1, memory: '1024Mi' }, requests: { cpu: '0.5' } } };
  assert.deepEqual(
    check({ metadata: { deletionTimestamp: '2020-01-01T02:00:00.25+02:00' }, spec: { containers: [container] } }),
    {
      metadata: { deletionTimestamp: '2020-01-01T00:00:00Z' },
      spec: {
        containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }],
      },
    },
  );
  const lease = schemas.type('io.k8s.api.coordination.v1.Lease');
  assert.deepEqual(check({ spec: { renewTime: '2020-01-01T00:00:00.123456Z' } }, lease), {
    spec: { renewTime: '2020-01-01T00:00:00.123456Z' },
  });
  const secret = schemas.type('io.k8s.api.core.v1.Secret');
  assert.deepEqual(check({ data: { a: 'aGVs\nbG8=' } }, secret), { data: { a: 'aGVsbG8=' } });
  assert.equal(failure({ data: { a: 'aG!s' } }, secret), 'illegal base64 data at input byte 2');
  assert.equal(
    failure({ metadata: { creationTimestamp: 'soon' } }),
    'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
  );
  assert.match(failure({ spec: { containers: [{ resources: { limits: { cpu: 'much' } } }] } }), /quantit/);
});

test('a number or a string is an IntOrString, anything else is not', () => {
  const strategy = (value: unknown): object => ({ spec: { strategy: { rollingUpdate: { maxSurge: value } } } });
  assert.deepEqual(check(strategy(1), deployment), strategy(1));
  assert.deepEqual(check(strategy('25%'), deployment), strategy('25%'));
  assert.match(failure(strategy(true), deployment), /cannot unmarshal bool into Go value of type int32/);
});

test('unknown fields are pruned and told with their full path', () => {
  const { object, unknown } = checkStructure(
    { spec: { containers: [{ name: 'a', imag: 'x' }], foo: { a: 1 } }, bar: 1 },
    pod,
  );
  assert.deepEqual(object, { spec: { containers: [{ name: 'a' }] } });
  assert.deepEqual(unknown, ['spec.containers[0].imag', 'spec.foo', 'bar']);
});

test('__proto__ is a key like any other', () => {
  const given = JSON.parse('{"data":{"__proto__":"x","a":null}}') as Record<string, unknown>;
  const { object } = checkStructure(given, schemas.type('io.k8s.api.core.v1.ConfigMap'));
  assert.equal(JSON.stringify(object), '{"data":{"__proto__":"x","a":""}}');
  const { unknown } = checkStructure(JSON.parse('{"__proto__":{"spec":1}}') as Record<string, unknown>, pod);
  assert.deepEqual(unknown, ['__proto__']);
});

test('values without structure stay as they are, but for numbers that are none', () => {
  const revision = schemas.type('io.k8s.api.apps.v1.ControllerRevision');
  const data = { spec: { $patch: 'replace', a: null, b: [] } };
  assert.deepEqual(check({ data, revision: 1 }, revision), { data, revision: 1 });
  assert.match(failure(JSON.parse('{"data":{"a":1e999}}') as object, revision), /Infinity/);
});

test('a schema is checked where a list of schemas, a boolean or a text may stand too', () => {
  const type = schemas.type('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps');
  const good = {
    items: { type: 'object', properties: { a: { items: [{ type: 'string' }] } } },
    additionalProperties: true,
    dependencies: { a: ['b'], c: { type: 'string' } },
  };
  assert.deepEqual(check(good, type), good);
  for (const name of ['items', 'additionalProperties']) {
    assert.equal(
      failure({ [name]: { allOf: 'x' } }, type),
      `json: cannot unmarshal string into Go struct field JSONSchemaProps.${name}.allOf of type []v1.JSONSchemaProps`,
    );
  }
});
