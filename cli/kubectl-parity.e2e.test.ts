import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { run, type Outcome } from './testing/run.js';
import { normalised } from './testing/transcript.js';

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: a, image: 'busybox:1', ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {c: "d\\ne"}
`;

let server: TestServer;
before(async () => {
  server = await startTestServer();
  const { exitCode, stderr } = await run(['apply', '-f', '-'], server.kubeconfigPath, manifest);
  assert.equal(exitCode, 0, stderr);
});
after(() => server.close());

function kubectl(args: readonly string[], stdin = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { env: { ...process.env, KUBECONFIG: server.kubeconfigPath } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ stdout, stderr, exitCode: exitCode ?? -1 }));
    child.stdin.end(stdin);
  });
}

const reading = [
  'get deploy,svc,cm',
  'get all',
  'get deploy web -o wide',
  'get deploy web -o yaml',
  'get svc -o json',
  'get cm -o name',
  'get svc --show-labels',
  'get svc --no-headers',
  'get svc -A',
  'get pods',
  'get pods -A',
  'get pod nope',
  'get nonsense',
  'get deploy/web svc/web',
  'get svc -o custom-columns=NAME:.metadata.name,PORTS:.spec.ports[*].port',
  'get svc -o jsonpath={range.items[*]}{.metadata.name}{"\\n"}{end}',
  'get svc --sort-by=.metadata.name',
  'get ns -l kubernetes.io/metadata.name=default',
  'describe cm settings',
  'describe svc web',
  'describe deploy web',
  'describe ns default',
  'scale deploy web --replicas=1 --current-replicas=9',
  'label deploy web app=other',
  'delete deploy nope',
  'delete cm -l no=such',
  'wait --for=condition=Ready pod/nope',
  'api-versions',
  'api-resources -o name',
  'create ns default',
];
for (const line of reading) {
  test(`knarr ${line} prints what kubectl prints`, async () => {
    const args = line.split(' ');
    const [expected, actual] = [await kubectl(args), await run(args, server.kubeconfigPath)];
    // Blanks are compared too: only what moves between two calls is made the same, at its width.
    assert.equal(normalised(actual.stdout), normalised(expected.stdout));
    assert.equal(normalised(actual.stderr), normalised(expected.stderr));
    assert.equal(actual.exitCode, expected.exitCode);
  });
}

test('what knarr applied, kubectl finds unchanged, and the other way round', async () => {
  const theirs = await kubectl(['apply', '-f', '-'], manifest);
  assert.equal(theirs.stdout, 'deployment.apps/web unchanged\nservice/web unchanged\nconfigmap/settings unchanged\n');
  const changed = manifest.replace('busybox:1', 'busybox:2');
  assert.match(
    (await kubectl(['apply', '-f', '-'], changed)).stdout,
    /^deployment.apps\/web configured\nservice\/web unchanged/,
  );
  const ours = await run(['apply', '-f', '-'], server.kubeconfigPath, changed);
  assert.equal(ours.stdout, theirs.stdout);
});

test('a kustomization is applied, compared, shown and deleted as with kubectl', async () => {
  const overlay = 'apiserver/wire/testdata/kustomize/overlay';
  const same = async (...args: string[]): Promise<Outcome> => {
    const [theirs, ours] = [await kubectl(args), await run(args, server.kubeconfigPath)];
    assert.equal(normalised(ours.stdout), normalised(theirs.stdout), ours.stderr);
    assert.equal(ours.exitCode, theirs.exitCode, ours.stderr);
    return ours;
  };
  await same('kustomize', overlay);
  const applied = await run(['apply', '-k', overlay], server.kubeconfigPath);
  assert.equal(applied.stdout.trim().split('\n').length, 6, applied.stderr);
  assert.ok(applied.stdout.includes('deployment.apps/live-web-eu created'));
  assert.ok((await same('apply', '-k', overlay)).stdout.includes('deployment.apps/live-web-eu unchanged'));
  assert.equal((await same('diff', '-k', overlay)).stdout, '');
  await same('get', '-k', overlay, '-o', 'name');
  await same('apply', '-k', overlay, '--server-side', '--force-conflicts');
  await same('delete', '-k', overlay, '--dry-run=server', '-o', 'name');
  const both = await run(['apply', '-k', overlay, '-f', '-'], server.kubeconfigPath);
  assert.match(both.stderr, /only one of -f or -k can be specified/);
  const nowhere = await same('apply', '-k', 'apiserver/wire');
  assert.match(nowhere.stderr, /unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization'/);
  const deleted = await run(['delete', '-k', overlay, '--wait=false'], server.kubeconfigPath);
  assert.match(deleted.stdout, /^deployment.apps "live-web-eu" deleted/m);
});
