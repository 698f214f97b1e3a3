import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { run } from './testing/run.js';
import { stockKubectl } from './testing/stock-kubectl.js';

let server: TestServer;
before(async () => {
  server = await startTestServer();
  const outcome = await run(['create', 'deployment', 'web', '--image=x'], server.kubeconfigPath);
  assert.equal(outcome.exitCode, 0, outcome.stderr);
});
after(() => server.close());

const programs: Readonly<Record<string, readonly [string, ...string[]]>> = {
  kubectl: [stockKubectl()],
  knarr: [process.execPath, resolve('bin/knarr')],
};

let made = 0;

/** Resolves when a watch shows a change: before, kubectl has not begun to wait, and a signal just ends it. */
async function seesChange(output: Readable): Promise<void> {
  const seen = once(output, 'data');
  const { exitCode, stderr } = await run(['create', 'namespace', `made-${made++}`], server.kubeconfigPath);
  assert.equal(exitCode, 0, stderr);
  await seen;
}

/** How a program ends that gets a signal once it has said something: its exit code, or the signal. */
async function endOf(program: string, line: string, signal: NodeJS.Signals): Promise<number | string | null> {
  const [command = '', ...args] = programs[program] ?? [];
  const child = spawn(command, [...args, ...line.split(' ')], {
    env: { ...process.env, KUBECONFIG: server.kubeconfigPath },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  await once(child.stdout, 'data');
  if (line.startsWith('get')) await seesChange(child.stdout);
  child.stdout.resume();
  child.kill(signal);
  const [code, by] = await ended;
  return by ?? code;
}

const lines: readonly (readonly [string, number | 'signal'])[] = [
  ['get namespaces --watch', 1],
  ['get namespaces -w -o name', 1],
  ['rollout status deployment/web', 1],
  ['proxy --port=0', 'signal'],
];
for (const [line, expected] of lines) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    for (const program of Object.keys(programs)) {
      test(`${program} ${line} ends with ${expected} at ${signal}`, async () => {
        assert.equal(await endOf(program, line, signal), expected === 'signal' ? signal : expected);
      });
    }
  }
}
