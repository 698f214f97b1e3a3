import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isObject } from '../shared/api/json.js';
import { testFolder } from '../apiserver/testing/test-folder.js';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { run, type Outcome } from './testing/run.js';
import { stockKubectl } from './testing/stock-kubectl.js';

// What commands make of objects that no server changes: of files, and where the change is only shown. kubectl has Go's types for it.

const objects: Readonly<Record<string, object>> = {
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' }, finalizers: ['x.io/a', 'x.io/b'] },
    spec: {
      containers: [
        {
          name: 'a',
          image: 'a:1',
          args: ['x'],
          envFrom: [{ configMapRef: { name: 'one' } }],
          ports: [
            { containerPort: 53, protocol: 'UDP' },
            { containerPort: 53, protocol: 'TCP', name: 'dns' },
          ],
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        },
        { name: 'b', image: 'b:1' },
      ],
      tolerations: [{ key: 'a' }],
      imagePullSecrets: [{ name: 'one' }],
      hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }],
      topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }],
      volumes: [{ name: 'v', emptyDir: {} }],
    },
  },
  service: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
  },
  deployment: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'a', image: 'a:1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] },
            { name: 'b', image: 'b:1' },
          ],
        },
      },
    },
  },
  binding: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'web' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'web' },
    subjects: [{ kind: 'User', name: 'one' }],
  },
  custom: {
    apiVersion: 'batch.example.com/v1',
    kind: 'Job',
    metadata: { name: 'web' },
    spec: { list: [{ name: 'a' }] },
  },
};

const folder = testFolder('local-patch');
const file = (name: string): string => join(folder, `${name}.json`);
let server: TestServer;
before(async () => {
  for (const [name, object] of Object.entries(objects)) writeFileSync(file(name), JSON.stringify(object));
  server = await startTestServer();
  for (const name of ['service', 'deployment']) {
    const made = await run(['create', '-f', file(name)], server.kubeconfigPath);
    assert.equal(made.exitCode, 0, made.stderr);
  }
  const node = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  assert.equal((await run(['create', '-f', '-'], server.kubeconfigPath, node)).exitCode, 0);
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function kubectl(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(stockKubectl(), args, {
      env: { ...process.env, KUBECONFIG: server.kubeconfigPath },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ stdout, stderr, exitCode: exitCode ?? -1 }));
  });
}

/** An object without what Go's types print although nobody set it, and without empty fields, which they do not print. */
function essential(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essential);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).map(([name, inner]): [string, unknown] => [name, essential(inner)]);
  return Object.fromEntries(
    fields.filter(([name, inner]) => !isEmpty(inner) && !(name === 'targetPort' && inner === 0)),
  );
}
const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0);

async function agree(args: readonly string[], read: (value: unknown) => unknown = essential): Promise<void> {
  const [theirs, ours] = [await kubectl(args), await run(args, server.kubeconfigPath)];
  assert.equal(ours.stderr.replaceAll('knarr', 'kubectl'), theirs.stderr);
  assert.equal(ours.exitCode, theirs.exitCode);
  if (theirs.stdout.startsWith('{')) assert.deepEqual(read(JSON.parse(ours.stdout)), read(JSON.parse(theirs.stdout)));
  else assert.equal(ours.stdout, theirs.stdout);
}

const strategic: Readonly<Record<string, readonly [object: string, patch: unknown]>> = {
  'ports of containers have the number as their key, whatever their protocol': [
    'pod',
    { spec: { containers: [{ name: 'a', ports: [{ containerPort: 53, name: 'u' }, { containerPort: 80 }] }] } },
  ],
  'ports of Services have the port as their key': [
    'service',
    { spec: { ports: [{ port: 53, targetPort: 5353 }, { port: 443 }] } },
  ],
  'a port of a container goes by its number in a template too': [
    'deployment',
    { spec: { template: { spec: { containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] } } } },
  ],
  'tolerations and envFrom are replaced': [
    'pod',
    { spec: { tolerations: [{ key: 'b' }], containers: [{ name: 'a', envFrom: [{ secretRef: { name: 'two' } }] }] } },
  ],
  'spread constraints, pull secrets, host aliases and mounts are merged': [
    'pod',
    {
      spec: {
        topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 2 }],
        imagePullSecrets: [{ name: 'two' }],
        hostAliases: [{ ip: '10.0.0.1', hostnames: ['b'] }],
        containers: [{ name: 'a', volumeMounts: [{ mountPath: '/v', readOnly: true }] }],
      },
    },
  ],
  'subjects of a role binding are replaced': ['binding', { subjects: [{ kind: 'User', name: 'two' }] }],
  'an item is deleted': ['pod', { spec: { containers: [{ name: 'b', $patch: 'delete' }] } }],
  'a list is replaced': ['pod', { spec: { containers: [{ $patch: 'replace' }, { name: 'c', image: 'c:1' }] } }],
  'a map is replaced': ['pod', { metadata: { labels: { $patch: 'replace', tier: 'front' } } }],
  'a map is emptied': ['service', { spec: { selector: { $patch: 'delete' } } }],
  'what is not there has nothing that a directive could be about': [
    'service',
    { metadata: { labels: { $patch: 'replace', a: 'b' } } },
  ],
  'single values are removed from a list': [
    'pod',
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['x.io/a'], finalizers: ['x.io/c'] } },
  ],
  'items come in the order that is asked for': [
    'pod',
    {
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
        containers: [{ name: 'c', image: 'c:1' }],
      },
    },
  ],
  'only the fields stay that are retained': [
    'deployment',
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  ],
  'a volume changes its kind': [
    'pod',
    { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
  ],
  'null removes': ['service', { spec: { selector: null } }],
  'an item without its key': ['pod', { spec: { containers: [{ image: 'x' }] } }],
  'an unknown directive': ['pod', { spec: { $patch: 'x' } }],
  'items of another order than was asked for': [
    'pod',
    { spec: { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'b' }] } },
  ],
  'no object': ['pod', []],
  'an object without a kind': ['service', { kind: null }],
  'a custom resource': ['custom', { spec: { list: [] } }],
};

const merge: Readonly<Record<string, readonly [object: string, patch: unknown]>> = {
  'a list of a custom resource is replaced': ['custom', { spec: { list: [{ name: 'b' }] } }],
  'a list is replaced': ['service', { spec: { ports: [{ port: 1 }] } }],
  'an object that becomes a list': ['service', []],
};

const json: Readonly<Record<string, readonly unknown[] | object>> = {
  'all operations': [
    { op: 'test', path: '/metadata/labels/app', value: 'web' },
    { op: 'replace', path: '/spec/containers/0/image', value: 'a:2' },
    { op: 'add', path: '/spec/containers/-', value: { name: 'c', image: 'c:1' } },
    { op: 'remove', path: '/spec/tolerations' },
    { op: 'copy', from: '/metadata/labels/app', path: '/metadata/labels/copy' },
    { op: 'move', from: '/metadata/labels/app', path: '/metadata/labels/x.io~1moved' },
  ],
  'a field that is replaced although it is not there': [{ op: 'replace', path: '/spec/nodeName', value: 'n' }],
  'a test that fails': [{ op: 'test', path: '/metadata/labels/app', value: 'x' }],
  'a field that is not there': [{ op: 'remove', path: '/metadata/labels/x' }],
  'a path that is not there': [{ op: 'add', path: '/a/b', value: 1 }],
  'an item that is not there': [{ op: 'replace', path: '/spec/containers/7/image', value: 'x' }],
  'an item that is replaced and not there': [{ op: 'replace', path: '/spec/containers/7', value: {} }],
  'an index that is none': [{ op: 'add', path: '/spec/containers/x', value: {} }],
  'an unknown operation': [{ op: 'merge', path: '/spec' }],
  'no list': { op: 'remove', path: '/spec' },
};

const asPrinted = (value: unknown): unknown => value;

describe('patch --local does what kubectl does', () => {
  const patched = (name: string, type: string, patch: unknown): Promise<void> =>
    agree(['patch', '--local', '-f', file(name), '--type', type, '-p', JSON.stringify(patch), '-o', 'json'], asPrinted);
  for (const [title, [name, patch]] of Object.entries(strategic)) {
    it(`strategic: ${title}`, () => patched(name, 'strategic', patch));
  }
  for (const [title, [name, patch]] of Object.entries(merge))
    it(`merge: ${title}`, () => patched(name, 'merge', patch));
  for (const [title, patch] of Object.entries(json)) it(`json: ${title}`, () => patched('pod', 'json', patch));
  it('and says whether anything changed', async () => {
    for (const value of ['web', 'other'])
      await agree([
        'patch',
        '--local',
        '-f',
        file('pod'),
        '-p',
        JSON.stringify({ metadata: { labels: { app: value } } }),
      ]);
  });
});

describe('what only is shown is what kubectl shows', () => {
  const template = (container: object): string =>
    JSON.stringify({ spec: { containers: [{ name: 'x', ...container }] } });
  const lines: readonly (readonly string[])[] = [
    ['patch', 'service/web', '--dry-run=client', '-p', '{"spec":{"ports":[{"port":80,"targetPort":9}]}}', '-o', 'json'],
    ['patch', 'deploy/web', '--dry-run=client', '--type=json', '-p', '[{"op":"remove","path":"/spec/strategy"}]'],
    ['patch', 'deploy/web', '--dry-run=client', '-p', '{}'],
    ['patch', 'deploy/web', '--dry-run=server', '-p', '{"metadata":{"labels":{"a":"b"}}}'],
    ['label', '--local', '-f', file('pod'), 'app-', 'tier=front', '-o', 'json'],
    ['label', '--local', '-f', file('service'), 'tier=front', '-o', 'json'],
    ['annotate', '--local', '-f', file('pod'), 'x.io/note=a=b', '-o', 'json'],
    ['set', 'image', '--local', '-f', file('deployment'), 'a=a:2', '-o', 'json'],
    ['set', 'env', '--local', '-f', file('deployment'), 'A=2', 'B=3', '-o', 'json'],
    ['set', 'env', '--local', '-f', file('deployment'), 'A-', '-c', 'a', '-o', 'json'],
    ['set', 'resources', '--local', '-f', file('deployment'), '--limits=cpu=1', '-c', 'b', '-o', 'json'],
    ['set', 'serviceaccount', '--local', '-f', file('deployment'), 'other', '-o', 'json'],
    ['set', 'selector', '--local', '-f', file('service'), 'app=other', '-o', 'json'],
    ['set', 'subject', '--local', '-f', file('binding'), '--user=two', '-o', 'json'],
    ['taint', 'nodes', 'n1', 'a=b:NoSchedule', '--dry-run=client'],
    ['taint', 'nodes', 'n1', 'a=b:NoSchedule', '--dry-run=server'],
    ['label', 'node', 'n1', 'a=b', '--dry-run=client'],
    ['annotate', 'node', 'n1', 'a=b', '--dry-run=server'],
    ['set', 'image', 'deploy/web', 'a=a:2', '--dry-run=client'],
    ['run', 'x', '--image=i', '--dry-run=client', '-o', 'json', '--overrides', template({ command: ['c'] })],
    ...['strategic', 'json', 'nope'].map((type) => {
      const pod = template({ env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 81 }] });
      const overrides = type === 'json' ? '[{"op":"add","path":"/spec/nodeName","value":"n"}]' : pod;
      const flags = ['--override-type', type, '--overrides', overrides];
      return ['run', 'x', '--image=i', '--port=80', '--env=A=1', '--dry-run=client', '-o', 'json', ...flags];
    }),
    ...['strategic', 'merge'].map((type) => {
      const flags = ['--override-type', type, '--overrides', '{"spec":{"ports":[{"port":443}]}}'];
      return ['expose', 'deploy/web', '--name=y', '--port=80', '--dry-run=client', '-o', 'json', ...flags];
    }),
  ];
  for (const line of lines) it(line.join(' ').replaceAll(`${folder}/`, ''), () => agree(line));
});
