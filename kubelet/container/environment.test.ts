import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Container, Service } from '../../shared/api/generated/types.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { containerSecurity, verifyNonRoot } from './container-security.js';
import { containerResources } from './container-resources.js';
import { containerEnvironment } from './environment.js';
import { expand } from './expansion.js';

const metadata = { uid: 'u', resourceVersion: '1', creationTimestamp: '' };
const service = (namespace: string, name: string, clusterIP: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...metadata, name, namespace },
  spec: {
    clusterIP,
    ports: [
      { name: 'web', port: 80 },
      { port: 53, protocol: 'UDP' },
    ],
  },
});

async function environmentOf(container: Container, enableServiceLinks = true): Promise<Record<string, string>> {
  const settings: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, name: 'settings', namespace: 'default' },
    data: { LEVEL: 'low', COLOR: 'blue' },
  };
  const found = await containerEnvironment({
    pod: podOf({ containers: [container], enableServiceLinks }),
    container,
    services: [
      service('default', 'my-app', '10.96.0.9'),
      service('default', 'kubernetes', '10.96.0.1'),
      service('other', 'far', '10.96.0.8'),
    ],
    facts: { nodeName: 'node-1', hostIPs: ['192.0.2.1'], podIPs: ['10.244.0.5'] },
    allocatable: { cpu: '4', memory: '8Gi' },
    source: {
      configMap: (_namespace, name) => Promise.resolve(name === 'settings' ? settings : undefined),
      secret: () => Promise.resolve(undefined),
    },
  });
  return Object.fromEntries(found);
}

test('variables are expanded where the name is known and left alone where not', () => {
  const known = new Map([['A', '1']]);
  for (const [input, want] of [
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y$(B)'],
    ['$$(A)', '$(A)'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['end$', 'end$'],
  ] as const) {
    assert.equal(expand(input, known), want, input);
  }
});

test('env overrides envFrom, and sees what came before it', async () => {
  const found = await environmentOf(
    containerOf('main', {
      envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'P_', configMapRef: { name: 'settings' } }],
      env: [
        { name: 'LEVEL', value: 'high' },
        { name: 'BOTH', value: '$(LEVEL)-$(COLOR)-$(MY_APP_SERVICE_HOST)' },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'OPTIONAL', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
      ],
    }),
  );
  assert.equal(found['BOTH'], 'high-blue-10.96.0.9');
  assert.equal(found['P_LEVEL'], 'low');
  assert.equal(found['IP'], '10.244.0.5');
  assert.equal(found['CPUS'], '4');
  assert.ok(!('OPTIONAL' in found));
});

test('Services of the namespace are named, and kubernetes always', async () => {
  const found = await environmentOf(containerOf('main'));
  assert.equal(found['MY_APP_SERVICE_HOST'], '10.96.0.9');
  assert.equal(found['MY_APP_SERVICE_PORT_WEB'], '80');
  assert.equal(found['MY_APP_PORT_53_UDP'], 'udp://10.96.0.9:53');
  assert.equal(found['FAR_SERVICE_HOST'], undefined);
  const bare = await environmentOf(containerOf('main'), false);
  assert.equal(bare['MY_APP_SERVICE_HOST'], undefined);
  assert.equal(bare['KUBERNETES_SERVICE_HOST'], '10.96.0.1');
});

test('a missing reference is told in the original words', async () => {
  const missing = { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none' } } }] };
  await assert.rejects(environmentOf(containerOf('main', missing)), {
    reason: 'CreateContainerConfigError',
    message: "couldn't find key none in ConfigMap default/settings",
  });
  const secret = { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'x' } } }] };
  await assert.rejects(environmentOf(containerOf('main', secret)), { message: 'secret "none" not found' });
});

test('runAsNonRoot refuses an image that would run as root', () => {
  const container = containerOf('main', { securityContext: { runAsNonRoot: true } });
  const pod = podOf({ containers: [container] });
  assert.throws(() => verifyNonRoot(pod, container, ''), /container has runAsNonRoot and image will run as root/);
  assert.throws(() => verifyNonRoot(pod, container, 'www'), /image has non-numeric user \(www\)/);
  assert.doesNotThrow(() => verifyNonRoot(pod, container, '1000:1000'));
});

test('requests and limits become shares, quota and memory', () => {
  const container = containerOf('main', {
    resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '500m', memory: '2Gi' } },
  });
  assert.deepEqual(containerResources(podOf({ containers: [container] }), container, 4 * 2 ** 30), {
    cpuShares: 256,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    memoryLimitBytes: 2 * 2 ** 30,
    oomScoreAdj: 750,
  });
});

test("the container's security settings win over the pod's", () => {
  const container = containerOf('main', { securityContext: { runAsUser: 7, capabilities: { drop: ['ALL'] } } });
  const pod = podOf({ containers: [container], securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3 } });
  const found = containerSecurity(pod, container);
  assert.deepEqual([found.user, found.supplementalGroups, found.dropCapabilities], ['7:2', [3], ['ALL']]);
});
