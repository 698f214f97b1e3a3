import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { command } from './lab/command.js';
import { laterProgram } from './lab/later-debian.js';
import { debianKubectl } from './lab/tools.js';

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {color: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: 'busybox:1', ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

/** The kubectls beside the one on PATH, which may be a dispatcher among them, Debian's, and that of its next release. */
async function kubectls(): Promise<string[]> {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .filter((path) => existsSync(path));
  const folders = new Set(onPath.flatMap((path) => [dirname(path), dirname(realpathSync(path))]));
  const versions = [...folders].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^kubectl\.\d+\.\d+$/.test(name))
      .map((name) => join(folder, name)),
  );
  const others = [await debianKubectl(), laterProgram('usr/bin/kubectl')];
  return [...new Set([...(versions.length > 0 ? versions : onPath.slice(0, 1)), ...others])];
}

const programs = await kubectls();

describe('every kubectl at hand', () => {
  let server: TestServer;
  let home: string;
  before(async () => {
    server = await startTestServer();
    home = mkdtempSync(join(tmpdir(), 'knarr-kubectl-'));
    writeFileSync(join(home, 'web.yaml'), manifest);
    writeFileSync(join(home, 'misspelt.yaml'), manifest.replace('replicas: 2', 'replcas: 2'));
  });
  after(async () => {
    rmSync(home, { recursive: true });
    await server.close();
  });

  for (const [i, program] of programs.entries()) {
    it(`${program} works through the life of a Deployment`, async () => {
      const namespace = `kubectl-${i}`;
      const run = async (line: string, exitCode = 0): Promise<string> => {
        const env = { ...process.env, HOME: home, KUBECONFIG: server.kubeconfigPath };
        const words = [program, '-n', namespace, ...line.split(' ')];
        const ended = await command(words, { env, accept: [exitCode] });
        assert.equal(ended.code, exitCode, line);
        return `${ended.stdout}${ended.stderr}`;
      };
      const file = join(home, 'web.yaml');
      await run(`create namespace ${namespace}`);
      assert.match(await run('api-resources'), /deployments +deploy/);
      assert.match(await run('explain deployment.spec.replicas'), /integer/);
      await run(`diff -f ${file}`, 1);
      assert.match(await run(`apply -f ${file} --dry-run=server`), /created \(server dry run\)/);
      assert.match(await run(`apply -f ${file}`), /deployment.apps\/web created/);
      assert.match(await run(`apply -f ${file}`), /deployment.apps\/web unchanged/);
      await run(`diff -f ${file}`);
      await run(`apply -f ${join(home, 'misspelt.yaml')}`, 1);
      assert.match(await run('get deployments,services,configmaps -o wide -l app=web'), /deployment.apps\/web +0\/2/);
      await run('scale deployment web --replicas=3');
      assert.equal(await run('get deployment web -o jsonpath={.spec.replicas}'), '3');
      await run('label configmap settings tier=front');
      await run('annotate configmap settings note-');
      await run('set image deployment/web c=busybox:2');
      await run('patch configmap settings --type=json -p=[{"op":"replace","path":"/data/color","value":"red"}]');
      assert.match(await run('get configmap settings -o yaml'), /color: red/);
      assert.match(await run('describe deployment web'), /Image: +busybox:2/);
      await run(`apply --server-side --force-conflicts -f ${file}`);
      assert.match(await run('get nothing', 1), /the server doesn't have a resource type "nothing"/);
      assert.match(await run('get configmap none', 1), /Error from server \(NotFound\): configmaps "none" not found/);
      await run('run one --image=busybox:1 --restart=Never');
      await run('wait --for=condition=Ready pod/one --timeout=1s', 1);
      await run('delete pod one --grace-period=0 --force');
      assert.match(await run('auth can-i create pods'), /yes/);
      await run(`delete -f ${file}`);
      assert.match(await run('get all'), /No resources found/);
      await run(`delete namespace ${namespace} --wait=false`);
    });
  }
});
