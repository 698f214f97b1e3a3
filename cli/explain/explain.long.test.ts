import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { DiscoveryReader } from '../../shared/client/discovery.js';
import { systemClock } from '../../shared/clock/clock.js';
import { run } from '../testing/run.js';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

async function kubectl(args: readonly string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: server.kubeconfigPath };
  return (await promisify(execFile)('kubectl', args, { env, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 })).stdout;
}

test('explains every kind of every version as kubectl does', async () => {
  const client = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  const { resources } = await new DiscoveryReader(client).read(AbortSignal.timeout(30_000));
  client.close();
  assert.ok(resources.length > 80, `only ${resources.length} kinds are served`);
  for (const { resource } of resources) {
    const version = `--api-version=${resource.apiVersion}`;
    for (const args of [[resource.resource], [`${resource.resource}.metadata`], [resource.resource, '--recursive']]) {
      const { stdout, stderr } = await run(['explain', ...args, version], server.kubeconfigPath);
      assert.equal(
        stdout,
        await kubectl(['explain', ...args, version]),
        `${resource.apiVersion} ${args.join(' ')}: ${stderr}`,
      );
    }
  }
});

const nested = [
  'pods.spec.containers.name',
  'pods.spec.containers.resources.limits',
  'pods.spec.affinity.podAffinity',
  'pods.status.containerStatuses.state',
  'services.spec.ports.targetPort',
  'deployments.spec.template',
  'hpa.spec.behavior',
  'pdb.spec',
  'crd.spec.versions.schema.openAPIV3Schema.default',
  'crd.spec.versions.schema.openAPIV3Schema.items',
  'ingress.spec.rules.http.paths',
  'events.eventTime',
];
test('explains fields that refer to other types as kubectl does', async () => {
  for (const path of nested) {
    const { stdout, stderr } = await run(['explain', path], server.kubeconfigPath);
    assert.equal(stdout, await kubectl(['explain', path]), stderr);
  }
});
