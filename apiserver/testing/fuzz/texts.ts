import { type Family, type FuzzRequest, namespace, percent, printable, words } from './family.js';

const json = { 'content-type': 'application/json' };
const dryRun = (path: string, object: object): FuzzRequest => ({
  method: 'POST',
  path: `${path}?dryRun=All`,
  headers: json,
  body: JSON.stringify(object),
});
const get = (path: string): FuzzRequest => ({ method: 'GET', path });

const labelSelectors: Family = {
  name: 'label-selector',
  count: 546,
  seeds: ['a=b', 'a in (b,c),d notin (e)', '!a,b', 'a!=b,c==d', 'example.com/a=b', 'a>5,b<3', ' a , b ', 'a in ()'],
  words: words('in notin = == != > < ! , ( ) a/b/c a. -a in( =b'),
  send: (input) => get(`${namespace}/pods?labelSelector=${percent(input)}`),
};

const fieldSelectors: Family = {
  name: 'field-selector',
  count: 390,
  seeds: ['metadata.name=a', 'spec.nodeName!=n,status.phase==Running', 'metadata.name=a\\,b', 'spec.host\\=a=b', '='],
  words: words('metadata.name metadata.namespace spec.nodeName status.phase status.podIP == != = , \\, \\= \\\\'),
  send: (input) => get(`${namespace}/pods?fieldSelector=${percent(input)}`),
};

const continueTokens: Family = {
  name: 'continue-token',
  keepsJson: true,
  count: 390,
  seeds: [
    '{"v":"meta.k8s.io/v1","rv":5,"start":"default/a\\u0000"}',
    '{"v":"meta.k8s.io/v1","rv":-1,"start":"a"}',
    '{"v":"v2","rv":1}',
    '[]',
    'null',
  ],
  words: words('"v" "rv" "start" meta.k8s.io/v1 9007199254740991 1e400 -2 0.5 ../ / \\u0000'),
  send: (input) =>
    get(
      `${namespace}/configmaps?limit=1&continue=${input.length % 5 === 0 ? percent(input) : input.toString('base64url')}`,
    ),
};

const queries: Family = {
  name: 'query',
  count: 546,
  seeds: [
    'resourceVersion=5&resourceVersionMatch=Exact',
    'resourceVersion=0&limit=2',
    'watch=true&resourceVersion=1&timeoutSeconds=1',
    'watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1',
    'limit=-1&timeoutSeconds=99999999999',
    'pretty=true&includeObject=None',
    'fieldManager=m&dryRun=All&fieldValidation=Warn',
    'resourceVersion=99999999999999999999',
  ],
  words: words(
    'resourceVersion resourceVersionMatch limit continue watch timeoutSeconds labelSelector fieldSelector & = %3D %26 ' +
      'Exact NotOlderThan sendInitialEvents allowWatchBookmarks true false 1 18446744073709551616 1.5 ; + #',
  ),
  send: (input) => get(`${namespace}/configmaps?${printable(input)}`),
};

const paths: Family = {
  name: 'path',
  count: 468,
  seeds: [
    '/api/v1/namespaces/default/pods/p/log',
    '/apis/apps/v1/namespaces/default/deployments/d/scale',
    '/apis/apps/v1/namespaces/default/deployments/d/status',
    '/api/v1/namespaces/default/services/s:80/proxy/a/b?c=d',
    '/api/v1/nodes/n/proxy/logs/',
    '/openapi/v3/apis/apps/v1?hash=ABC',
    '/openapi/v2',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x',
    '/api/v1/watch/namespaces/default/pods?timeoutSeconds=1',
    '/metrics',
    '/livez/ping?verbose&exclude=x',
    '/.well-known/openid-configuration',
    '/version',
  ],
  words: words('/ // /. /.. %2f %2e%2e %00 %zz %c0%ae ? # : http://a/ * namespaces default pods v1 apis api proxy'),
  send: (input) => {
    const path = printable(input);
    return get(path.startsWith('/') ? path : `/${path}`);
  },
};

const quantities: Family = {
  name: 'quantity',
  count: 312,
  seeds: ['1', '100m', '1.5Gi', '1e3', '1E', '-5n', '+1', '.5', '0.000000001', '9223372036854775807', '12e-3', '1Ki'],
  words: words('n u m k K Ki Mi M G Gi Ti Pi Ei E e e-999999999 e999999999 . - + 999999999999999999999999999999'),
  send: (input) => {
    const resources = { requests: { cpu: input.toString('utf8') } };
    return dryRun(`${namespace}/pods`, {
      metadata: { name: 'q' },
      spec: { containers: [{ name: 'c', image: 'i', resources }] },
    });
  },
};

const cronSchedules: Family = {
  name: 'cron',
  count: 312,
  seeds: [
    '*/5 * * * *',
    '0 0 1 1 0',
    '1-5,7 0-23/2 ? JAN-MAR MON',
    '@every 5s',
    '@daily',
    'TZ=UTC 0 0 * * *',
    '0 0 31 2 *',
  ],
  words: words('* / - , ? 0 59 60 23 24 7 8 JAN FEB SUN SAT @hourly @every CRON_TZ= L W # 999999999999 1-999999999'),
  send: (input) =>
    dryRun('/apis/batch/v1/namespaces/default/cronjobs', {
      metadata: { name: 'c' },
      spec: {
        schedule: input.toString('utf8'),
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
        },
      },
    }),
};

const celPolicies: Family = {
  name: 'cel-policy',
  count: 390,
  seeds: [
    'object.spec.replicas <= 5',
    'has(object.metadata.labels) && object.metadata.labels.all(k, k.startsWith("a"))',
    'request.userInfo.groups.exists(g, g == "x") ? true : [1,2].map(x, x*x).size() > 1',
    'object.metadata.name.matches("^(a+)+$")',
    'variables.a == 1u || b"\\x00" == bytes("a") || timestamp("2026-01-01T00:00:00Z") < timestamp("2026-01-02T00:00:00Z")',
    'quantity("1Gi").isGreaterThan(quantity("1Mi")) && ip("1.1.1.1").isCanonical() && url("http://a").getHost() == "a"',
    'params.x[0]["y"].?z.orValue(1) == dyn(2)',
    'authorizer.group("apps").resource("deployments").check("get").allowed()',
  ],
  words: words(
    '.all( .exists( .map( .filter( has( size( matches( oldObject object request params && || ? : ! - + * / % in == { } ' +
      '"\\u0000" r"" """ 0xffffffffffffffffff 1e999 // .format([ cel.bind(x, optional.of( int( string( duration("1h")',
  ),
  send: (input) =>
    dryRun('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', {
      metadata: { name: 'p' },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
          ],
        },
        validations: [{ expression: input.toString('utf8') }],
      },
    }),
};

/** A definition with a schema, and a custom resource's part of it. */
export function definition(version: object, spec: object = {}): FuzzRequest {
  return dryRun('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'things.fuzz.example.com' },
    spec: {
      group: 'fuzz.example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, ...version }],
      ...spec,
    },
  });
}

/** The rule is not only compiled: the default of the schema is validated by it. */
const celRules: Family = {
  name: 'cel-rule',
  count: 390,
  seeds: [
    'self.a == "x"',
    'self.list.all(x, x > 0) && self.list.exists_one(x, x == 1)',
    'self.a.matches("^(a+)+$") || self.a.replace("a","aa").split("").join("-").size() > 3',
    'self.list.map(x, self.list.map(y, self.list.map(z, x*y*z))).size() > 0',
    '!has(self.m) || self.m.all(k, self.m[k] == k)',
    'self.a + self.a + self.a != "" && self.n / 0 == 1',
    '"%s %d".format([self.a, self.n]) == "" || self.list.sum() > 3 || self.list.isSorted()',
    'optionalOldSelf.hasValue() || oldSelf == self',
  ],
  words: words(
    'self self.a self.list self.m self.n oldSelf .all(x, .map(x, .filter(x, .exists(x, + * % / && || ! "aaaa" ' +
      '9223372036854775807 -9223372036854775808 lists.range(1000000) .lastIndexOf( .substring( .flatten() .sort() .find(',
  ),
  send: (input) => {
    const item = { type: 'integer' };
    const value = { a: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', n: 5, list: [1, 2, 3], m: { k: 'v' } };
    const spec = {
      type: 'object',
      default: value,
      properties: {
        a: { type: 'string', maxLength: 100 },
        n: item,
        list: { type: 'array', maxItems: 10, items: item },
        m: { type: 'object', maxProperties: 5, additionalProperties: { type: 'string', maxLength: 9 } },
      },
      'x-kubernetes-validations': [{ rule: input.toString('utf8') }],
    };
    return definition({ schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } });
  },
};

const schemas: Family = {
  name: 'crd-schema',
  keepsJson: true,
  count: 468,
  seeds: [
    '{"type":"object","properties":{"l":{"type":"array","items":{"allOf":"object","properties":"x","enum":{}}}}}',
    '{"type":"object","properties":{"a":{"type":"string","pattern":"^(a+)+!$","default":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}}}',
    '{"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}}}}',
    '{"type":"object","x-kubernetes-preserve-unknown-fields":true}',
    '{"type":"object","anyOf":[{"required":["a"]},{"not":{"required":["b"]}}],"properties":{"a":{"type":"integer","minimum":1,"multipleOf":2,"enum":[2,4]}}}',
    '{"type":"object","additionalProperties":{"type":"number","format":"int64","maximum":5,"exclusiveMaximum":true}}',
    '{"type":"object","properties":{"x":{"x-kubernetes-int-or-string":true},"e":{"type":"object","x-kubernetes-embedded-resource":true}}}',
    '{"type":"object","properties":{"d":{"type":"string","format":"date-time","default":"2026-01-01T00:00:00Z","nullable":true,"minLength":1}}}',
  ],
  words: words(
    '"type" "object" "array" "string" "integer" "properties" "items" "default" "pattern" "format" "enum" "nullable" ' +
      '"$ref" "#/definitions/x" "allOf" "oneOf" "not" "required" "(a|a)*$" "\\\\p{L}" "[" "x-kubernetes-validations"',
  ),
  send: (input) => {
    const request = definition({ schema: { openAPIV3Schema: '@' } });
    return { ...request, body: (request.body as string).replace('"@"', () => input.toString('utf8')) };
  },
};

const jsonPaths: Family = {
  name: 'json-path',
  count: 312,
  seeds: [
    '.spec.a',
    '.status.conditions[?(@.type=="Ready")].status',
    '.a[0:2]',
    '.metadata.labels.app\\.x',
    ".a['b']",
    '..a',
  ],
  words: words('. .. [ ] [*] [-1] [0:1:2] [?( @ == )] " \' $ { } range end .spec \\. ,'),
  send: (input) => {
    const jsonPath = input.toString('utf8');
    const properties = { spec: { type: 'object', properties: { a: { type: 'string' } } } };
    return definition({
      schema: { openAPIV3Schema: { type: 'object', properties } },
      additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath }],
      selectableFields: [{ jsonPath }],
    });
  },
};

export const textFamilies: readonly Family[] = [
  labelSelectors,
  fieldSelectors,
  continueTokens,
  queries,
  paths,
  quantities,
  cronSchedules,
  celPolicies,
  celRules,
  schemas,
  jsonPaths,
];
