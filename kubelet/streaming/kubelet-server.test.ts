import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createCertificateAuthority } from '../../shared/pki/certificate.js';
import { createKubeletWorld, type KubeletWorld } from './kubelet-world.js';

let world: KubeletWorld;
before(async () => {
  world = await createKubeletWorld();
});
after(() => world.close());

test('the apiserver and cluster admins are served without asking anybody', async () => {
  const { ca } = world;
  assert.equal((await world.get('/healthz')).body, 'ok');
  assert.equal((await world.get('/healthz', await world.client('kubernetes-admin', ['system:masters']))).code, 200);
  assert.equal((await world.get('/healthz', {})).code, 401);
  const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 60_000) };
  const foreign = await createCertificateAuthority({ subject: { commonName: 'foreign' }, ...validity });
  const forged = await world.client('kube-apiserver-kubelet-client', ['system:masters'], foreign);
  assert.equal((await world.get('/healthz', forged)).code, 401);
  assert.ok(ca.certificate);
});

test('an upgrade without a certificate is refused before anything else', async () => {
  const answer = await world.upgrade('POST', '/exec/nowhere/none/main', { upgrade: 'SPDY/3.1' }, {});
  assert.deepEqual(answer, { code: 401, body: 'Unauthorized' });
});

test('a container log is streamed, with the options of kubectl', async () => {
  assert.deepEqual(await world.get('/containerLogs/default/web/main'), { code: 200, body: 'hello from web\n' });
  assert.equal((await world.get('/containerLogs/default/web/main?limitBytes=5')).body, 'hello');
  assert.equal((await world.get('/containerLogs/default/web/main?tailLines=0')).body, '');
  assert.match(
    (await world.get('/containerLogs/default/web/main?timestamps=true')).body,
    /^\d{4}-.*Z hello from web\n$/,
  );
  assert.equal((await world.get('/containerLogs/default/web/main?sinceTime=2999-01-01T00:00:00Z')).body, '');
});

test('a log that cannot be had is told with the words of the original', async () => {
  const answers: Record<string, [number, RegExp]> = {
    '/containerLogs/default/none/main': [404, /^pod "none_default" does not exist$/],
    '/containerLogs/default/web/other': [404, /^container "other" not found in pod "web"$/],
    '/containerLogs/default/web/waiting': [
      400,
      /^container "waiting" in pod "web" is waiting to start: PodInitializing$/,
    ],
    '/containerLogs/default/web/main?previous=true': [
      400,
      /^previous terminated container "main" in pod "web" not found$/,
    ],
    '/containerLogs/default/web/main?tailLines=-1': [422, /tailLines: Invalid value/],
    '/containerLogs/default/web/main?sinceTime=yesterday': [422, /sinceTime/],
    '/containerLogs/default/web': [404, /not found/],
    '/containerLogs/%zz': [400, /not properly escaped/],
    '/nothing': [404, /not found/],
    '/exec/default/web/main?command=cat&output=1': [400, /Upgrade request required/],
  };
  for (const [path, [code, body]] of Object.entries(answers)) {
    const answer = await world.get(path);
    assert.equal(answer.code, code, path);
    assert.match(answer.body, body, path);
  }
});

test('pods, metrics and statistics are served', async () => {
  const pods = JSON.parse((await world.get('/pods')).body) as { kind: string; items: { metadata: { name: string } }[] };
  assert.deepEqual([pods.kind, pods.items[0]?.metadata.name], ['PodList', 'web']);
  assert.equal((await world.get('/metrics')).body, 'kubelet_running_pods 1\n');
  const resource = (await world.get('/metrics/resource')).body;
  assert.match(
    resource,
    /^container_cpu_usage_seconds_total\{container="main",namespace="default",pod="web"\} 0 \d+$/m,
  );
  assert.match(resource, /^container_start_time_seconds\{container="main",namespace="default",pod="web"\} [\d.]+$/m);
  assert.equal((await world.get('/metrics/probes')).body, '# TYPE prober_probe_total counter\n');
  assert.match(resource, /^node_memory_working_set_bytes \d+ \d+$/m);
  const cadvisor = (await world.get('/metrics/cadvisor')).body;
  assert.match(
    cadvisor,
    /^container_cpu_usage_seconds_total\{container="main",namespace="default",pod="web",id="\/docker\/(\S+)",image="\S+",name="\1",cpu="total"\} 0 \d+$/m,
  );
  assert.match(cadvisor, /^container_cpu_cfs_throttled_periods_total\{container="main",.*\} 0 \d+$/m);
  assert.match(cadvisor, /^machine_cpu_cores [1-9]\d* \d+$/m);
  assert.match(cadvisor, /^machine_memory_bytes \d+ \d+$/m);
  const summary = JSON.parse((await world.get('/stats/summary')).body) as {
    node: { nodeName: string };
    pods: { podRef: { name: string }; containers: { name: string }[] }[];
  };
  assert.deepEqual(
    [summary.node.nodeName, summary.pods[0]?.podRef.name, summary.pods[0]?.containers[0]?.name],
    ['node-1', 'web', 'main'],
  );
});

test('a renewed serving certificate and client CA are used from the next connection on', async () => {
  const other = await createKubeletWorld();
  const current = await other.client('kube-apiserver-kubelet-client', ['system:masters']);
  const renewed = await world.client('system:node:node-1');
  other.tls.replace({ key: renewed.key, cert: renewed.cert, clientCA: world.ca.certificate });
  assert.equal((await other.get('/healthz', current)).code, 401);
  assert.equal(
    (await other.get('/healthz', await world.client('kube-apiserver-kubelet-client', ['system:masters']))).code,
    200,
  );
  await other.close();
});

test('an engine that is away is a 503 with the reason', async () => {
  world.runtime.setAway(true);
  const answer = await world.get('/containerLogs/default/web/main');
  world.runtime.setAway(false);
  assert.equal(answer.code, 503);
});
