import { type Family, type FuzzRequest, namespace, words } from './family.js';

const json = { 'content-type': 'application/json' };
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', labels: { a: 'b' } },
  spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
};
const fields = words(
  'apiVersion kind metadata name namespace labels annotations finalizers ownerReferences managedFields uid spec status ' +
    'containers image ports containerPort env resources limits requests replicas selector template data binaryData ' +
    'creationTimestamp deletionTimestamp resourceVersion generateName',
);
const post =
  (path: string, type: string) =>
  (body: Buffer): FuzzRequest => ({ method: 'POST', path, headers: { 'content-type': type }, body });
const patch =
  (path: string, type: string) =>
  (body: Buffer): FuzzRequest => ({ method: 'PATCH', path, headers: { 'content-type': type }, body });

const jsonBodies: Family = {
  name: 'json',
  keepsJson: true,
  count: 702,
  seeds: [
    '{"metadata":{"name":"a"},"data":{"k":"v"}}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"a-","labels":{"a":"b"}}}',
    '{"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u"}]}}',
    '{"metadata":{"name":"a","creationTimestamp":"2026-01-01T00:00:00Z"},"binaryData":{"k":"AAA="},"immutable":true}',
    '{"metadata":{"name":"a","managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1",' +
      '"fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:k":{}}}}]}}',
    '{"a":1.5e300,"b":-0,"c":9007199254740993,"d":"\\u0000\\ud800","metadata":{"name":"a"}}',
  ],
  words: [...fields, '"a":{}', '"a":[]', ':null', '\\u0000', '\\ud800', '1e999', '00', '{"a":', '[['],
  send: post(`${namespace}/configmaps?dryRun=All&fieldValidation=Strict`, 'application/json'),
};

const yamlBodies: Family = {
  name: 'yaml',
  count: 702,
  seeds: [
    'metadata:\n  name: a\ndata:\n  k: v\n',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: "b"}}\n',
    'metadata:\n  name: a\ndata:\n  k: |\n    x\n    y\n  l: >-\n    z\n',
    'x: &x {a: 1}\ny: *x\nmetadata:\n  <<: *x\n  name: a\n',
    '---\nmetadata:\n  name: a # c\n...\n---\nb: 1\n',
    '%YAML 1.1\n---\n!!map {? a : b, !!str c: !!binary AAA=}\n',
    'metadata:\n  name: 0644\n  labels: {a: no, b: ~, c: 1_000, d: 2026-01-01, e: .inf}\n',
  ],
  words: [...fields, '&a', '*a', '<<', '!!', '!!binary', '!!timestamp', '|', '>', '- ', '? ', ': ', '---', '#', '\t'],
  send: post(`${namespace}/configmaps?dryRun=All`, 'application/yaml'),
};

const jsonPatches: Family = {
  name: 'json-patch',
  keepsJson: true,
  count: 468,
  seeds: [
    '[{"op":"add","path":"/metadata/labels/x","value":"y"}]',
    '[{"op":"test","path":"/kind","value":"Deployment"},{"op":"remove","path":"/metadata/labels"}]',
    '[{"op":"copy","from":"/spec/template","path":"/spec/selector"}]',
    '[{"op":"move","from":"/spec/template/spec/containers/0","path":"/spec/template/spec/containers/-"}]',
    '[{"op":"replace","path":"","value":{}}]',
    '[{"op":"add","path":"/metadata/annotations","value":{"a~1b":"c~0d"}}]',
  ],
  words: words('op path from value add remove replace move copy test /- /0 /-1 /01 ~0 ~1 ~2 /spec /metadata /status'),
  send: patch('/apis/apps/v1/namespaces/default/deployments/d?dryRun=All', 'application/json-patch+json'),
};

const mergePatches: Family = {
  name: 'merge-patch',
  keepsJson: true,
  count: 312,
  seeds: [
    '{"metadata":{"labels":{"a":null,"b":"c"}}}',
    '{"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"c","image":"j"}]}}}}',
    '{"metadata":null,"spec":{"selector":null}}',
    '{"status":{"replicas":-1}}',
  ],
  words: fields,
  send: patch('/apis/apps/v1/namespaces/default/deployments/d?dryRun=All', 'application/merge-patch+json'),
};

const strategicPatches: Family = {
  name: 'strategic-patch',
  keepsJson: true,
  count: 546,
  seeds: [
    '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"j"},{"name":"d","$patch":"delete"}]}}}}',
    '{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"d"},{"name":"c"}],"containers":[{"name":"d","image":"i"}]}}}}',
    '{"metadata":{"$deleteFromPrimitiveList/finalizers":["f"],"labels":{"$patch":"replace","a":"b"}}}',
    '{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}',
    '{"spec":{"template":{"spec":{"volumes":[{"$patch":"replace"},{"name":"v","emptyDir":{}}]}}}}',
    '{"$patch":"delete"}',
  ],
  words: [
    ...words('$patch $retainKeys $setElementOrder/ $deleteFromPrimitiveList/ delete merge replace null'),
    ...fields,
  ],
  send: patch('/apis/apps/v1/namespaces/default/deployments/d?dryRun=All', 'application/strategic-merge-patch+json'),
};

const applied: Family = {
  name: 'apply-patch',
  keepsJson: true,
  count: 468,
  seeds: [
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 2}\n',
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","labels":{"x":"y"}},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"k"}]}}}}',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n  finalizers: [a/b, a/b]\n',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {managedFields: [], name: d}\n',
  ],
  words: fields,
  send: patch(
    '/apis/apps/v1/namespaces/default/deployments/d?dryRun=All&fieldManager=fuzz&force=true',
    'application/apply-patch+yaml',
  ),
};

/** First word: the resource that the object is posted to. */
const objects: Family = {
  name: 'objects',
  keepsJson: true,
  count: 560,
  seeds: [
    `${namespace}/pods ${JSON.stringify(pod)}`,
    `${namespace}/services {"metadata":{"name":"s"},"spec":{"type":"NodePort","clusterIP":"10.96.0.9","ports":[{"port":80,"targetPort":"x","nodePort":30001}],"ipFamilies":["IPv4"],"externalIPs":["1.1.1.1"]}}`,
    '/apis/networking.k8s.io/v1/namespaces/default/ingresses {"metadata":{"name":"i"},"spec":{"rules":[{"host":"*.a.b","http":{"paths":[{"path":"/x","pathType":"Prefix","backend":{"service":{"name":"s","port":{"number":80}}}}]}}],"tls":[{"hosts":["a"]}]}}',
    '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies {"metadata":{"name":"n"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}}],"ports":[{"port":1,"endPort":2}]}]}}',
    '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers {"metadata":{"name":"h"},"spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"Deployment","name":"d"},"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]}}',
    '/apis/batch/v1/namespaces/default/jobs {"metadata":{"name":"j"},"spec":{"completions":3,"completionMode":"Indexed","backoffLimitPerIndex":1,"maxFailedIndexes":1,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles {"metadata":{"name":"r"},"rules":[{"apiGroups":[""],"resources":["pods/*"],"verbs":["*"],"resourceNames":["a"]},{"nonResourceURLs":["/a*"],"verbs":["get"]}],"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}',
    `${namespace}/resourcequotas {"metadata":{"name":"q"},"spec":{"hard":{"pods":"3","requests.cpu":"1","count/jobs.batch":"2"},"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["x"]}]}}}`,
    `${namespace}/events {"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p","namespace":"default"},"eventTime":"2026-01-01T00:00:00.000000Z","series":{"count":2,"lastObservedTime":"2026-01-01T00:00:00.000000Z"}}`,
    '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices {"metadata":{"name":"e"},"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"],"conditions":{"ready":true}}],"ports":[{"port":80}]}',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews {"spec":{"user":"u","groups":["g"],"resourceAttributes":{"verb":"get","resource":"pods","namespace":"x","fieldSelector":{"rawSelector":"a=b"},"labelSelector":{"requirements":[{"key":"a","operator":"In","values":["b"]}]}},"extra":{"a":["b"]}}}',
    '/apis/authentication.k8s.io/v1/tokenreviews {"spec":{"token":"a.b.c","audiences":["x"]}}',
    '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas {"metadata":{"name":"f"},"spec":{"matchingPrecedence":5,"priorityLevelConfiguration":{"name":"global-default"},"rules":[{"subjects":[{"kind":"User","user":{"name":"a"}}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]}}',
    `${namespace}/serviceaccounts/default/token {"spec":{"audiences":["a"],"expirationSeconds":600,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p","uid":"u"}}}`,
    `${namespace}/pods/p/eviction {"metadata":{"name":"p"},"deleteOptions":{"gracePeriodSeconds":0}}`,
    `${namespace}/pods/p/binding {"metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}`,
  ],
  words: fields,
  send: (input) => {
    const text = input.toString('utf8');
    const path = /^\/[\w/.-]+/.exec(text)?.[0] ?? `${namespace}/pods`;
    const body = text.startsWith(path) ? text.slice(path.length + 1) : text;
    return { method: 'POST', path: `${path}?dryRun=All`, headers: json, body };
  },
};

/** A definition with something of everything: types, defaults, patterns, rules, lists by keys, columns, a scale. */
export const customDefinition = {
  metadata: { name: 'widgets.fuzz.example.com' },
  spec: {
    group: 'fuzz.example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        additionalPrinterColumns: [
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Parts', type: 'string', jsonPath: '.spec.parts[*].name' },
          { name: 'When', type: 'date', jsonPath: '.spec.when' },
        ],
        selectableFields: [{ jsonPath: '.spec.color' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['color'],
                'x-kubernetes-validations': [{ rule: 'self.replicas <= 9 || self.color.startsWith("r")' }],
                properties: {
                  color: { type: 'string', pattern: '^(a+)+$|^[a-z]+$', maxLength: 50 },
                  replicas: { type: 'integer', minimum: 0, default: 1 },
                  ratio: { type: 'number', multipleOf: 0.5 },
                  when: { type: 'string', format: 'date-time' },
                  port: { 'x-kubernetes-int-or-string': true },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, size: { type: 'integer', default: 3 } },
                    },
                  },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  inner: {
                    type: 'object',
                    'x-kubernetes-embedded-resource': true,
                    'x-kubernetes-preserve-unknown-fields': true,
                  },
                },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};
export const widgets = '/apis/fuzz.example.com/v1/namespaces/default/widgets';
const widget =
  '"spec":{"color":"red","replicas":2,"ratio":1.5,"when":"2026-01-01T00:00:00Z","port":"http","parts":[{"name":"a","size":1}],' +
  '"tags":["x","y"],"open":{"k":[1]},"inner":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}}}';
const customWords = [...fields, ...words('color parts tags open inner when port ratio conditions type Ready')];
const asTable = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };

const customObjects: Family = {
  name: 'custom-object',
  keepsJson: true,
  count: 600,
  seeds: [
    `{"metadata":{"name":"w","labels":{"a":"b"},"annotations":{"c":"d"},"finalizers":["a.example.com/b"]},${widget}`,
    `{"metadata":{"generateName":"w-","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u"}]},${widget}`,
    '{"metadata":{"name":"w","managedFields":[]},"spec":{"color":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}}',
    '{"metadata":"x","spec":{"color":"red"}}',
  ],
  words: customWords,
  send: (body) => ({ method: 'POST', path: `${widgets}?dryRun=All`, headers: { ...json, ...asTable }, body }),
};

const customPatches: Family = {
  name: 'custom-patch',
  keepsJson: true,
  count: 400,
  seeds: [
    `{"apiVersion":"fuzz.example.com/v1","kind":"Widget","metadata":{"name":"w"},${widget}`,
    '{"apiVersion":"fuzz.example.com/v1","kind":"Widget","metadata":{"name":"w","labels":{"x":"y"}},"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
  ],
  words: customWords,
  send: (body) => {
    const type = `application/${body.length % 2 === 0 ? 'apply-patch+yaml' : 'merge-patch+json'}`;
    const headers = { 'content-type': type, ...asTable };
    return { method: 'PATCH', path: `${widgets}/w?dryRun=All&fieldManager=fuzz&force=true`, headers, body };
  },
};

export const documentFamilies: readonly Family[] = [
  jsonBodies,
  yamlBodies,
  jsonPatches,
  mergePatches,
  strategicPatches,
  applied,
  objects,
  customObjects,
  customPatches,
];
