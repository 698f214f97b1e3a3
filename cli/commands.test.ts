import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serverWorld } from '../apiserver/testing/server-world.js';
import { run } from './testing/run.js';

const world = serverWorld();
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knarr-cli-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

const deployment = (replicas: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: a, image: "x:1"}
      - {name: b, image: "y:1"}
`;
const knarr = (line: string, stdin = ''): ReturnType<typeof run> =>
  run(line.split(' '), world.server.kubeconfigPath, stdin);

test('apply creates, finds unchanged, changes, and removes what left the manifest', async () => {
  assert.equal((await knarr('apply -f -', deployment('replicas: 1'))).stdout, 'deployment.apps/web created\n');
  assert.equal((await knarr('apply -f -', deployment('replicas: 1'))).stdout, 'deployment.apps/web unchanged\n');
  const without = deployment('replicas: 3').replace('      - {name: b, image: "y:1"}\n', '');
  assert.equal((await knarr('apply -f -', without)).stdout, 'deployment.apps/web configured\n');
  const path = '{.spec.replicas}{.spec.template.spec.containers[*].name}';
  assert.equal((await knarr(`get deploy web -o jsonpath=${path}`)).stdout, '3a');
  assert.equal((await knarr('delete deploy web')).stdout, 'deployment.apps "web" deleted from default namespace\n');
});

test('a misspelt field is shown where it stands, with the name that was meant', async () => {
  const file = join(folder, 'web.yaml');
  await writeFile(file, deployment('replica: 1'));
  const { stderr, exitCode } = await knarr(`apply -f ${file}`);
  assert.equal(
    stderr,
    `error: ${file}:5:3: unknown field "spec.replica" in Deployment "web"; did you mean "replicas"?\n`,
  );
  assert.equal(exitCode, 1);
});

test('mistakes in the command line are told with exit code 1', async () => {
  for (const [line, words] of [
    ['get', /You must specify the type of resource to get/],
    ['get pods --nonsense', /^error: unknown flag: --nonsense\n/],
    ['get pods -o', /^error: flag needs an argument: 'o' in -o\n/],
    ['nonsense', /^error: unknown command "nonsense" for "knarr"\n/],
    ['apply', /^error: must specify one of -f and -k\n/],
    ['apply -f /nonexistent.yaml', /^error: the path "\/nonexistent.yaml" does not exist\n/],
  ] as const) {
    const { stderr, exitCode } = await knarr(line);
    assert.match(stderr, words);
    assert.equal(exitCode, 1, line);
  }
});
