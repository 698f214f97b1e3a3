const core = '/api/v1/namespaces/default';
export const configMaps = `${core}/configmaps`;
/** There from the start, with the data k: v. */
export const one = `${configMaps}/a`;
const head = '"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}';
/** A request that must be refused, and how. */
export interface Hostile {
  readonly what: string;
  readonly path?: string;
  readonly method?: string;
  readonly type?: string;
  readonly body?: string | object;
  readonly code: number;
  readonly reason: string;
  readonly message: RegExp;
  /** Field of the first cause. */
  readonly field?: string;
}

export const json = 'application/json';
const yaml = 'application/yaml';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const jsonPatch = 'application/json-patch+json';
const apply = 'application/apply-patch+yaml';
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const nestedYaml = (levels: number): string => `a: ${nested(levels)}`;
const laughs = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name, i) => {
    const before = `*${'abcdefgh'[i]}`;
    return `${name}: &${name} [${Array.from({ length: 9 }, () => before).join(',')}]`;
  }),
].join('\n');
const doublings = [
  { op: 'add', path: '/data', value: { a: 'x'.repeat(1000) } },
  { op: 'add', path: '/metadata/annotations', value: {} },
  ...Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/k${i}` })),
];

/** What somebody wrote wrongly. */
export const malformed: readonly Hostile[] = [
  { what: 'no JSON', body: '{"metadata":', code: 400, reason: 'BadRequest', message: /unexpected end of JSON input/ },
  { what: 'an empty body', body: '', code: 400, reason: 'BadRequest', message: /unexpected end of JSON input/ },
  {
    what: 'a list for an object',
    body: '[]',
    code: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal array into Go value of type struct/,
  },
  {
    what: 'a wrong type deep inside',
    path: `${core}/pods`,
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 1 }] } },
    code: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal number into Go struct field .*containers.*image of type string/,
  },
  {
    what: 'a missing field',
    path: `${core}/pods`,
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c' }] } },
    code: 422,
    reason: 'Invalid',
    message: /spec\.containers\[0\]\.image: Required value/,
    field: 'spec.containers[0].image',
  },
  {
    what: 'a misspelt field, strictly',
    path: `${core}/pods?fieldValidation=Strict`,
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', imag: 'i' }] } },
    code: 400,
    reason: 'BadRequest',
    message: /strict decoding error: unknown field "spec\.containers\[0\]\.imag"/,
    field: 'spec.containers[0].imag',
  },
  {
    what: 'a field that stands twice, strictly',
    path: `${configMaps}?fieldValidation=Strict`,
    body: `{${head},"data":{"a":"1","a":"2"}}`,
    code: 400,
    reason: 'BadRequest',
    message: /strict decoding error: duplicate field "data\.a"/,
  },
  {
    what: 'bad YAML',
    type: yaml,
    body: 'metadata:\n  name: x\n bad',
    code: 400,
    reason: 'BadRequest',
    message: /yaml: line \d+: column \d+/,
  },
  {
    what: 'no media type of ours',
    type: 'text/csv',
    body: 'a,b',
    code: 415,
    reason: 'UnsupportedMediaType',
    message: /./,
  },
  {
    what: 'an unknown kind',
    body: { apiVersion: 'v1', kind: 'Confetti', metadata: { name: 'x' } },
    code: 400,
    reason: 'BadRequest',
    message: /no kind "Confetti" is registered for version "v1"/,
  },
  {
    what: 'an unknown version of a kind',
    body: { apiVersion: 'v9', kind: 'ConfigMap', metadata: { name: 'x' } },
    code: 400,
    reason: 'BadRequest',
    message: /no kind "ConfigMap" is registered for version "v9"/,
  },
  {
    what: 'another kind than that of the path',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    code: 400,
    reason: 'BadRequest',
    message: /Secret in version "v1" cannot be handled as a ConfigMap/,
  },
  {
    what: 'another namespace than that of the path',
    body: { metadata: { name: 'x', namespace: 'other' } },
    code: 400,
    reason: 'BadRequest',
    message: /does not match the namespace/,
  },
  {
    what: 'a name with slashes and dots',
    body: { metadata: { name: '../../secrets/x' } },
    code: 422,
    reason: 'Invalid',
    message: /metadata\.name: Invalid value: "\.\.\/\.\.\/secrets\/x"/,
    field: 'metadata.name',
  },
];

/** What is made to be expensive. */
export const bombs: readonly Hostile[] = [
  {
    what: 'a body that is too long',
    body: `{${head},"data":{"a":"${'x'.repeat(3 * 1024 * 1024)}"}}`,
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: /limit is 3145728/,
  },
  {
    what: 'a ConfigMap that is too big',
    body: `{${head},"data":{"a":"${'x'.repeat(1024 * 1024 + 1)}"}}`,
    code: 422,
    reason: 'Invalid',
    message: /Too long: may not be more than 1048576 bytes/,
  },
  {
    what: 'a deep body',
    body: `{${head},"data":{"a":${nested(100_000)}}}`,
    code: 400,
    reason: 'BadRequest',
    message: /exceeded max depth/,
  },
  {
    what: 'a body of brackets alone',
    body: nested(1_500_000),
    code: 400,
    reason: 'BadRequest',
    message: /exceeded max depth/,
  },
  {
    what: 'two hundred thousand unknown fields',
    body: `{${head},${Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: /limit is 25000 different keys/,
  },
  {
    what: 'ten thousand objects of ten fields each',
    body: `{${head},"data":[${Array.from({ length: 10_000 }, (_, i) => `{${Array.from({ length: 10 }, (_, j) => `"k${i}-${j}":1`).join(',')}}`).join(',')}]}`,
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: /limit is 25000 different keys/,
  },
  {
    what: 'twenty thousand unknown fields',
    path: `${configMaps}?fieldValidation=Strict`,
    body: `{${head},${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
    code: 400,
    reason: 'BadRequest',
    message: /unknown field "k0", unknown field "k1"/,
  },
  { what: 'deep YAML', type: yaml, body: nestedYaml(5_000), code: 400, reason: 'BadRequest', message: /nested deeper/ },
  { what: 'a billion laughs', type: yaml, body: laughs, code: 400, reason: 'BadRequest', message: /alias/ },
  {
    what: 'YAML of a million words',
    type: yaml,
    body: `a: [${'1,'.repeat(400_000)}]`,
    code: 400,
    reason: 'BadRequest',
    message: /more than 10000 parts: send it as JSON/,
  },
  {
    what: 'two megabytes of YAML',
    type: yaml,
    body: `a: |\n${'  x\n'.repeat(500_000)}`,
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: /limit is 1048576/,
  },
  {
    what: 'protobuf that announces more than it holds',
    type: 'application/vnd.kubernetes.protobuf',
    body: 'k8s\0\n\u007f\u007f\u007f',
    code: 400,
    reason: 'BadRequest',
    message: /unrecognized/,
  },
  {
    what: 'a JSON patch that doubles',
    method: 'PATCH',
    path: one,
    type: jsonPatch,
    body: doublings,
    code: 422,
    reason: 'Invalid',
    message: /./,
    field: 'patch[13]',
  },
  {
    what: 'a JSON patch of too many steps',
    method: 'PATCH',
    path: one,
    type: jsonPatch,
    body: Array.from({ length: 20_000 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' })),
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: /operations in a JSON patch/,
  },
  {
    what: 'a JSON patch of nowhere',
    method: 'PATCH',
    path: one,
    type: jsonPatch,
    body: [{ op: 'remove', path: '/spec/none' }],
    code: 422,
    reason: 'Invalid',
    message: /./,
  },
  {
    what: 'a deep merge patch',
    method: 'PATCH',
    path: one,
    type: merge,
    body: `{"data":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    code: 400,
    reason: 'BadRequest',
    message: /exceeded max depth/,
  },
  {
    what: 'a merge patch of a wrong type',
    method: 'PATCH',
    path: one,
    type: merge,
    body: { data: { a: { b: 'c' } } },
    code: 422,
    reason: 'Invalid',
    message: /cannot unmarshal object into Go struct field/,
    field: 'patch',
  },
  {
    what: 'a strategic patch with an unknown directive',
    method: 'PATCH',
    path: one,
    type: strategic,
    body: { data: { $patch: 'explode' } },
    code: 400,
    reason: 'BadRequest',
    message: /explode/,
  },
  {
    what: 'an applied field that does not exist',
    method: 'PATCH',
    path: `${one}?fieldManager=m`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', dat: {} },
    code: 400,
    reason: 'BadRequest',
    message: /failed to create typed patch object \(.*ConfigMap\): \.dat: field not declared in schema/,
  },
  {
    what: 'an applied bomb',
    method: 'PATCH',
    path: `${one}?fieldManager=m`,
    type: apply,
    body: laughs,
    code: 400,
    reason: 'BadRequest',
    message: /alias/,
  },
];

/** URLs that lead nowhere, or elsewhere. */
export const paths: readonly Hostile[] = [
  { what: 'dots in a path', path: `${core}/configmaps/..`, code: 400, reason: 'BadRequest', message: /\.\./ },
  { what: 'encoded dots', path: `${core}/configmaps/%2e%2e`, code: 400, reason: 'BadRequest', message: /\.\./ },
  {
    what: 'encoded slashes',
    path: `${core}/configmaps/..%2f..%2fsecrets`,
    code: 400,
    reason: 'BadRequest',
    message: /\//,
  },
  {
    what: 'a namespace that climbs',
    path: '/api/v1/namespaces/%2e%2e/secrets',
    code: 400,
    reason: 'BadRequest',
    message: /\.\./,
  },
  { what: 'broken escapes', path: `${core}/configmaps/%zz`, code: 400, reason: 'BadRequest', message: /./ },
  {
    what: 'an unknown group',
    path: '/apis/example.com/v1/things',
    code: 404,
    reason: 'NotFound',
    message: /could not find the requested resource/,
  },
  {
    what: 'an unknown version',
    path: '/apis/apps/v9/deployments',
    code: 404,
    reason: 'NotFound',
    message: /could not find the requested resource/,
  },
  {
    what: 'an unknown resource',
    path: '/api/v1/confetti',
    code: 404,
    reason: 'NotFound',
    message: /could not find the requested resource/,
  },
  {
    what: 'an unknown subresource',
    path: `${one}/confetti`,
    code: 404,
    reason: 'NotFound',
    message: /could not find the requested resource/,
  },
  {
    what: 'a label selector that is none',
    path: `${configMaps}?labelSelector=${encodeURIComponent('a in (b')}`,
    code: 400,
    reason: 'BadRequest',
    message: /unable to parse requirement/,
  },
  {
    what: 'a label selector of many values',
    path: `${configMaps}?labelSelector=${encodeURIComponent(`a in (${'b,'.repeat(3_000)}!)`)}`,
    code: 400,
    reason: 'BadRequest',
    message: /./,
  },
  {
    what: 'a field that cannot be selected',
    path: `${configMaps}?fieldSelector=data.a%3Db`,
    code: 400,
    reason: 'BadRequest',
    message: /is not a known field selector/,
  },
  {
    what: 'a number that is none',
    path: `${configMaps}?limit=many`,
    code: 400,
    reason: 'BadRequest',
    message: /many/,
  },
  {
    what: 'a made-up continue token',
    path: `${configMaps}?continue=e30`,
    code: 400,
    reason: 'BadRequest',
    message: /continue/,
  },
];
