import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, test } from 'node:test';
import type { APIService, APIServiceCondition, Namespace } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { servingCertificate, type ServingCertificate } from '../../shared/pki/testing/serving-certificate.js';
import { namespace, registration, serverManifest, serverName } from './manifests.js';
import type { TestCluster } from '../lab/cluster.js';
import type { CommandResult } from '../lab/command.js';
import { importProgram } from '../lab/images.js';
import { debianKubectl } from '../lab/tools.js';

const apiService = 'v1beta1.metrics.k8s.io';
const nodesPath = '/apis/metrics.k8s.io/v1beta1/nodes';
const workingSetPath = `/apis/custom.metrics.k8s.io/v1beta1/namespaces/${namespace}/pods/*/memory_working_set`;

/** metrics.k8s.io and custom.metrics.k8s.io, served by a pod through the aggregation layer. */
export function aggregationTests(find: () => TestCluster): void {
  let cluster: TestCluster;
  let serving: ServingCertificate;
  const kubectl = (...args: string[]): Promise<string> => cluster.kubectl(args);
  /** For what may fail. */
  const tried = (...args: string[]): Promise<CommandResult> => cluster.host.run(['kubectl', ...args], { accept: [1] });
  const scale = (replicas: number): Promise<string> =>
    kubectl('scale', '-n', namespace, 'deployment/metrics', `--replicas=${replicas}`);
  const available = async (status: string, reason: string): Promise<APIServiceCondition> =>
    eventually(
      async () => {
        const found = await cluster.get<APIService>('apiservice', apiService);
        const condition = found.status?.conditions?.find(({ type }) => type === 'Available');
        assert.deepEqual([condition?.status, condition?.reason], [status, reason], condition?.message);
        return condition as APIServiceCondition;
      },
      30_000,
      100,
    );

  before(async () => {
    cluster = find();
    serving = await servingCertificate({ dnsNames: [serverName] });
    const program = resolve('dist/e2e/aggregation/extension-server.js');
    const image = await importProgram(cluster.host.dockerSocket, 'extension-server', program);
    await cluster.apply(serverManifest(image, serving));
    await kubectl('rollout', 'status', '-n', namespace, 'deployment/metrics', '--timeout=60s');
  });

  test('a group is discovered and available once it is registered', async () => {
    await cluster.apply(registration(serving));
    await available('True', 'Passed');
    const listed = await kubectl('api-resources', '--api-group=metrics.k8s.io', '--no-headers');
    assert.match(listed, /^nodes +metrics.k8s.io\/v1beta1 +false +NodeMetrics$/m);
    assert.match(listed, /^pods +metrics.k8s.io\/v1beta1 +true +PodMetrics$/m);
    const custom = JSON.parse(await kubectl('get', '--raw', '/apis/custom.metrics.k8s.io/v1beta1')) as object;
    assert.ok('resources' in custom);
    assert.match(await kubectl('api-versions'), /^custom.metrics.k8s.io\/v1beta1$/m);
  });

  test('kubectl top and --raw show what the kubelet measures', async () => {
    // A rate takes two looks at the counters.
    const [node] = await eventually(async () => [await kubectl('top', 'nodes', '--no-headers')], 30_000, 500);
    assert.match(node ?? '', /^node-1 +\d+m +\d+% +\d+Mi +\d+%/);
    const pods = await eventually(() => kubectl('top', 'pods', '-n', namespace, '--no-headers'), 30_000, 500);
    const [, mebibytes] = /^metrics-\S+ +\d+m +(\d+)Mi/.exec(pods) ?? [];
    assert.ok(Number(mebibytes) > 10 && Number(mebibytes) < 500, `a Node process takes some tens of MiB: ${pods}`);
    const raw = JSON.parse(await kubectl('get', '--raw', nodesPath)) as { items: { metadata: { name: string } }[] };
    assert.deepEqual(
      raw.items.map(({ metadata }) => metadata.name),
      ['node-1'],
    );
    const values = JSON.parse(await kubectl('get', '--raw', workingSetPath)) as { items: { value: string }[] };
    assert.ok(Number(values.items[0]?.value) > 10 * 1024 * 1024, JSON.stringify(values));
    const ours = await cluster.knarr(['top', 'pods', '-n', namespace]);
    assert.match(ours.stdout, /^metrics-\S+ +\d+m +\d+Mi/m);
  });

  test('the pod believes headers of the front proxy alone, and asks the cluster what others may', async () => {
    const ca = join(cluster.host.directory, 'extension-ca.crt');
    writeFileSync(ca, serving.ca);
    const pki = join(cluster.host.directory, 'home', '.knarr', 'default', 'pki');
    const address = await kubectl('get', 'service', '-n', namespace, 'metrics', '-o', 'jsonpath={.spec.clusterIP}');
    const ask = async (...args: string[]): Promise<string> => {
      const to = ['--cacert', ca, '--resolve', `${serverName}:443:${address}`, `https://${serverName}${nodesPath}`];
      return (await cluster.host.run(['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args, ...to])).stdout;
    };
    const as = (user: string, ...groups: string[]): string[] =>
      [`X-Remote-User: ${user}`, ...groups.map((group) => `X-Remote-Group: ${group}`)].flatMap((one) => ['-H', one]);
    const with_ = (name: string): string[] => ['--cert', join(pki, `${name}.crt`), '--key', join(pki, `${name}.key`)];
    const proxy = with_('front-proxy-client');
    assert.equal(await ask(...as('admin', 'system:masters')), '401');
    assert.equal(await ask('-H', 'Authorization: Bearer no.such.token', ...as('admin', 'system:masters')), '401');
    assert.equal(await ask(...proxy, ...as('admin', 'system:masters')), '200');
    assert.equal(await ask(...proxy, ...as('jane')), '403');
    const token = (await kubectl('create', 'token', 'default', '-n', namespace)).trim();
    const bearer = ['-H', `Authorization: Bearer ${token}`];
    assert.equal(await ask(...bearer, ...as('admin', 'system:masters')), '403');
    await kubectl('create', 'clusterrole', 'usage', '--verb=get,list', '--resource=nodes.metrics.k8s.io');
    await kubectl('create', 'clusterrolebinding', 'usage', '--clusterrole=usage', '--group=readers');
    const account = `--serviceaccount=${namespace}:default`;
    await kubectl('create', 'clusterrolebinding', 'account-usage', '--clusterrole=usage', account);
    assert.equal(await ask(...proxy, ...as('jane', 'writers', 'readers')), '200');
    assert.equal(await ask(...bearer), '200');
    const mine = await kubectl('get', '--raw', nodesPath, '--as=jane', '--as-group=readers');
    assert.match(mine, /NodeMetricsList/);
    const refused = await tried('get', '--raw', nodesPath, '--as=jane');
    assert.match(refused.stderr, /nodes.metrics.k8s.io is forbidden: User "jane" cannot list resource "nodes"/);
  });

  test('while the pod is gone, the group is unavailable, and namespaces wait with their reason', async () => {
    await kubectl('create', 'namespace', 'waiting');
    await kubectl('create', 'configmap', 'content', '-n', 'waiting');
    await scale(0);
    const gone = await available('False', 'MissingEndpoints');
    assert.equal(
      gone.message,
      `endpoints for service/metrics in "${namespace}" have no addresses with port name "https"`,
    );
    const top = await tried('top', 'nodes');
    assert.equal(top.code, 1);
    assert.match(top.stderr, /Metrics API not available|unable to handle the request/);
    // Newer clients leave out what aggregated discovery calls stale; older ones ask the group itself.
    const listed = await tried('api-resources', '-o', 'name');
    assert.match(listed.stdout, /^deployments.apps$/m);
    assert.doesNotMatch(listed.stdout, /metrics.k8s.io/);
    const older = [await debianKubectl(), 'api-resources', '-o', 'name'];
    const resources = await cluster.host.run(older, { accept: [1] });
    assert.equal(resources.code, 1);
    assert.match(
      resources.stderr,
      /unable to retrieve the complete list of server APIs: .*metrics.k8s.io\/v1beta1: the server is currently unable to handle the request/,
    );
    assert.match(resources.stdout, /^deployments.apps$/m);
    assert.match(await kubectl('get', 'apiservice', apiService), /monitoring\/metrics +False \(MissingEndpoints\)/);

    await kubectl('delete', 'namespace', 'waiting', '--wait=false');
    await eventually(
      async () => {
        const { status } = await cluster.get<Namespace>('namespace', 'waiting');
        const failed = status?.conditions?.find(({ type }) => type === 'NamespaceDeletionDiscoveryFailure');
        assert.deepEqual([failed?.status, failed?.reason], ['True', 'DiscoveryFailed']);
        assert.match(
          failed?.message ?? '',
          /^Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: /,
        );
        const content = status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining');
        assert.equal(content?.status, 'False');
      },
      20_000,
      200,
    );
    assert.equal((await tried('get', 'configmap', 'content', '-n', 'waiting', '-o', 'name')).code, 1);

    await scale(1);
    await available('True', 'Passed');
    await kubectl('wait', 'namespace/waiting', '--for=delete', '--timeout=20s');
    assert.equal((await tried('api-resources')).code, 0);
    assert.match(await kubectl('get', '--raw', nodesPath), /NodeMetricsList/);
  });

  test('without its registration the group is gone', async () => {
    await kubectl('delete', 'apiservice', apiService);
    assert.equal((await tried('get', '--raw', nodesPath)).code, 1);
    assert.equal((await kubectl('api-resources', '--api-group=metrics.k8s.io', '-o', 'name')).trim(), '');
  });
}
