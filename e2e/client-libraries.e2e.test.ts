import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TestCluster } from './lab/cluster.js';
import { toolbox } from './lab/images.js';

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: ${toolbox}
    command: [sh, -c, 'mkdir -p /tmp/www; echo a page > /tmp/www/index.html; echo started; exec httpd -f -p 8080 -h /tmp/www']
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
`;

describe('streams of the official client libraries, through the API server to a container', () => {
  let cluster: TestCluster | undefined;
  TestCluster.explainFailures(() => cluster);
  before(async () => {
    cluster = await TestCluster.start();
    await cluster.apply(pod);
    await cluster.kubectl(['wait', 'pod/web', '--for=condition=Ready', '--timeout=60s']);
  });
  after(() => cluster?.destroy());
  const run = async (program: string, script: string): Promise<unknown> => {
    const { stdout } = await (cluster ?? assert.fail('there is no cluster')).host.run(
      [program, resolve(script), 'default', 'web'],
      { timeoutMs: 60_000 },
    );
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
