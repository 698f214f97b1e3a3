import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { create, type FindCluster, isReady, pod, podWhere, shell } from './pod.js';

const name = 'streamed';
const script = 'mkdir -p /tmp/www; echo a page > /tmp/www/index.html; echo started; exec httpd -f -p 8080 -h /tmp/www';
const readinessProbe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 };

/** Programs written with the official client libraries, against a container of the cluster. */
export function clientLibraryTests(cluster: FindCluster): void {
  describe('streams of the official client libraries, through the API server to a container', () => {
    before(async () => {
      await create(cluster(), pod(name, { containers: [shell('main', script, { readinessProbe })] }));
      await podWhere(cluster(), name, isReady);
    });
    const run = async (program: string, file: string): Promise<unknown> => {
      const { stdout } = await cluster().host.run([program, resolve(file), 'default', name], { timeoutMs: 60_000 });
      return JSON.parse(stdout);
    };
    const expected = { output: 'from outside\n', status: 'Success', exitCode: '3', log: 'started\n' };

    test('JavaScript: exec with input and exit codes, log, port-forward', async () => {
      const result = await run(process.execPath, 'dist/e2e/lab/stream-client.js');
      assert.deepEqual(result, { ...expected, page: 'a page\n' });
    });

    test('Python: exec with input and exit codes, log', async () => {
      assert.deepEqual(await run('/usr/bin/python3', 'e2e/lab/stream-client.py'), expected);
    });
  });
}
