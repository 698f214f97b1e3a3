import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { run } from '../testing/run.js';

const execute = promisify(execFile);
let server: TestServer;
let folder: string;
before(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'knarr-completion-'));
  await mkdir(join(folder, 'bin'));
  const program = `#!/bin/sh\nexec ${process.execPath} ${resolve('bin/knarr')} "$@"\n`;
  await writeFile(join(folder, 'bin', 'knarr'), program, { mode: 0o755 });
  for (const name of ['m.yaml', 'm.txt']) await writeFile(join(folder, name), '');
  for (const line of ['run web-1 --image=x', 'run web-2 --image=x', 'create deployment shop --image=x']) {
    assert.equal((await run(line.split(' '), server.kubeconfigPath)).exitCode, 0, line);
  }
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** What bash would offer for a line, as the function of the script answers it: what it puts in for the last word. */
async function offered(line: string): Promise<string[]> {
  const script = `source <(knarr completion bash); compopt() { :; }
    COMP_LINE=$1 COMP_POINT=\${#1}; _knarr; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execute('bash', ['--norc', '-c', script, 'bash', line], {
    cwd: folder,
    env: {
      PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      KUBECONFIG: server.kubeconfigPath,
      HOME: folder,
    },
  });
  return stdout.split('\n').filter((each) => each !== '');
}

const lines: readonly (readonly [string, readonly string[]])[] = [
  ['knarr roll', ['rollout']],
  ['knarr rollout un', ['undo']],
  ['knarr get pods ', ['web-1', 'web-2']],
  ['knarr get pods web-1 ', ['web-2']],
  ['knarr -n kube-system get pods ', []],
  ['knarr describe deployments.apps/', ['deployments.apps/shop']],
  ['knarr get deploymen', ['deployments.apps', 'deployments.extensions']],
  ['knarr get -n kube-p', ['kube-public']],
  ['knarr get pods --namespace=kube-p', ['kube-public']],
  ['knarr get --show-l', ['--show-labels']],
  ['knarr --context te', ['test']],
  ['knarr exec web-1 -c we', ['web-1']],
  ['knarr logs web-1 ', ['web-1']],
  ['knarr cp default/web-1:', []],
  ['knarr cp default/web-', ['default/web-1:', 'default/web-2:']],
  ['knarr apply -f m', ['m.yaml']],
  ['knarr up --node-c', ['--node-cpu']],
  ['knarr up --kubec', []],
  ['knarr exec web-1 -- l', []],
];
for (const [line, expected] of lines) {
  test(`bash offers for "${line}": ${expected.join(' ') || 'nothing'}`, async () => {
    assert.deepEqual(await offered(line), expected);
  });
}

test('a server that does not answer leaves the line as it is', async () => {
  const { stdout, stderr } = await run(
    ['__complete', '-s', 'https://127.0.0.1:1', 'get', 'pods', ''],
    server.kubeconfigPath,
  );
  assert.equal(stdout, ':4\n');
  assert.match(stderr, /ECONNREFUSED/);
});

test('candidates come with what they mean, for shells that show it', async () => {
  const { stdout } = await run(['__complete', 'rollout', 'u'], server.kubeconfigPath);
  assert.equal(stdout, 'undo\tgo back to an earlier revision\n:4\n');
});

test('the scripts of all shells ask the same command, and bash takes its own', async () => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { stdout } = await run(['completion', shell], server.kubeconfigPath);
    assert.match(stdout, /__complete/, shell);
    if (shell === 'bash') await execute('bash', ['-n', '-c', stdout]);
  }
});
