import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, Pod, PodSpec, PodStatus, Service } from '../../shared/api/generated/types.js';
import { certificateSigningRequestDefinition } from './certificatesigningrequest.js';
import { controllerRevisionDefinition } from './controllerrevision.js';
import { deploymentDefinition } from './deployment.js';
import { endpointsDefinition } from './endpoints.js';
import { endpointSliceDefinition } from './endpointslice.js';
import { eventDefinition, eventsV1EventDefinition, fromCoreEvent, toCoreEvent } from './event.js';
import { nodeDefinition } from './node.js';
import { podDefinition } from './pod.js';
import { serviceDefinition } from './service.js';
import { meta, row } from './testing.js';

const NOW = Date.parse('2024-01-01T00:05:00Z');
const status = (more: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'c',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...more,
});
const running = status({ ready: true, state: { running: {} } });
const pod = (given: PodStatus, spec: Partial<PodSpec> = {}, deleted = false): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta('p', deleted ? { deletionTimestamp: '2024-01-01T00:04:00Z' } : {}),
  spec: { containers: [{ name: 'c' }], ...spec },
  status: given,
});

test('the status of a pod is what its containers say, as kubectl shows it', () => {
  const init = { initContainers: [{ name: 'i' }, { name: 'j' }] };
  const done = status({ state: { terminated: { exitCode: 0, reason: 'Completed' } } });
  const table: [string, Pod, string, string][] = [
    ['new', pod({ phase: 'Pending' }), '0/1', 'Pending'],
    ['running', pod({ phase: 'Running', containerStatuses: [running] }), '1/1', 'Running'],
    [
      'waiting',
      pod({ phase: 'Pending', containerStatuses: [status({ state: { waiting: { reason: 'ImagePullBackOff' } } })] }),
      '0/1',
      'ImagePullBackOff',
    ],
    [
      'first init',
      pod({ phase: 'Pending', initContainerStatuses: [status({ name: 'i', state: { running: {} } })] }, init),
      '0/1',
      'Init:0/2',
    ],
    [
      'second init',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            { ...done, name: 'i' },
            status({ name: 'j', state: { waiting: { reason: 'PodInitializing' } } }),
          ],
        },
        init,
      ),
      '0/1',
      'Init:1/2',
    ],
    [
      'init fails',
      pod(
        { phase: 'Pending', initContainerStatuses: [status({ name: 'i', state: { terminated: { exitCode: 3 } } })] },
        init,
      ),
      '0/1',
      'Init:ExitCode:3',
    ],
    [
      'init crashes',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [status({ name: 'i', state: { waiting: { reason: 'CrashLoopBackOff' } } })],
        },
        init,
      ),
      '0/1',
      'Init:CrashLoopBackOff',
    ],
    ['completed', pod({ phase: 'Succeeded', containerStatuses: [done] }), '0/1', 'Completed'],
    [
      'one of two done',
      pod(
        { phase: 'Running', containerStatuses: [done, running], conditions: [{ type: 'Ready', status: 'False' }] },
        { containers: [{ name: 'c' }, { name: 'd' }] },
      ),
      '1/2',
      'NotReady',
    ],
    [
      'signal',
      pod({ phase: 'Failed', containerStatuses: [status({ state: { terminated: { exitCode: 137, signal: 9 } } })] }),
      '0/1',
      'Signal:9',
    ],
    ['terminating', pod({ phase: 'Running', containerStatuses: [running] }, {}, true), '1/1', 'Terminating'],
    [
      'node lost',
      pod({ phase: 'Running', reason: 'NodeLost', containerStatuses: [running] }, {}, true),
      '1/1',
      'Unknown',
    ],
    ['evicted', pod({ phase: 'Failed', reason: 'Evicted' }), '0/1', 'Evicted'],
    [
      'gated',
      pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      '0/1',
      'SchedulingGated',
    ],
    [
      'sidecar',
      pod(
        {
          phase: 'Running',
          initContainerStatuses: [status({ name: 's', ready: true, started: true, state: { running: {} } })],
          containerStatuses: [running],
        },
        { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      ),
      '2/2',
      'Running',
    ],
  ];
  for (const [title, given, ready, text] of table) {
    const cells = row(podDefinition, given, NOW);
    assert.deepEqual([cells.Ready, cells.Status], [ready, text], title);
  }
});

test('a pod shows when it was last restarted, and its wide columns', () => {
  const restarted = status({
    restartCount: 2,
    ready: true,
    state: { running: {} },
    lastState: { terminated: { exitCode: 1, finishedAt: '2024-01-01T00:00:00Z' } },
  });
  const given = pod(
    { phase: 'Running', podIPs: [{ ip: '10.244.0.5' }], containerStatuses: [restarted] },
    { nodeName: 'node-1' },
  );
  assert.deepEqual(row(podDefinition, given, NOW), {
    Name: 'p',
    Ready: '1/1',
    Status: 'Running',
    Restarts: '2 (5m ago)',
    Age: '5m',
    IP: '10.244.0.5',
    Node: 'node-1',
    'Nominated Node': '<none>',
    'Readiness Gates': '<none>',
  });
});

test('a deployment shows its replicas, containers and selector', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web'),
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        spec: {
          containers: [
            { name: 'a', image: 'x:1' },
            { name: 'b', image: 'y:2' },
          ],
        },
      },
    },
    status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 },
  };
  assert.deepEqual(row(deploymentDefinition, deployment, NOW), {
    Name: 'web',
    Ready: '2/3',
    'Up-to-date': 3,
    Available: 2,
    Age: '5m',
    Containers: 'a,b',
    Images: 'x:1,y:2',
    Selector: 'app=web',
  });
  assert.equal(deploymentDefinition.scale?.getSelector(deployment), 'app=web');
});

test('a service shows where it is reached', () => {
  const service = (spec: Service['spec'], balancer?: { ip: string }[]): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('s'),
    spec: spec ?? {},
    status: { loadBalancer: balancer ? { ingress: balancer } : {} },
  });
  const table: [Service, string, string, string][] = [
    [
      service({ type: 'ClusterIP', clusterIPs: ['10.96.0.5'], ports: [{ port: 80, protocol: 'TCP' }] }),
      '10.96.0.5',
      '<none>',
      '80/TCP',
    ],
    [service({ type: 'ClusterIP', clusterIP: 'None' }), 'None', '<none>', '<none>'],
    [
      service({ type: 'NodePort', clusterIPs: ['10.96.0.5'], ports: [{ port: 80, nodePort: 30080 }] }),
      '10.96.0.5',
      '<none>',
      '80:30080/TCP',
    ],
    [service({ type: 'LoadBalancer', clusterIPs: ['10.96.0.5'] }), '10.96.0.5', '<pending>', '<none>'],
    [
      service({ type: 'LoadBalancer', clusterIPs: ['10.96.0.5'] }, [{ ip: '2.2.2.2' }, { ip: '1.1.1.1' }]),
      '10.96.0.5',
      '1.1.1.1,2.2.2.2',
      '<none>',
    ],
    [service({ type: 'ExternalName', externalName: 'example.com' }), '<none>', 'example.com', '<none>'],
  ];
  for (const [given, cluster, external, ports] of table) {
    const cells = row(serviceDefinition, given, NOW);
    assert.deepEqual([cells['Cluster-IP'], cells['External-IP'], cells['Port(s)']], [cluster, external, ports]);
  }
});

test('a node shows its state and roles', () => {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: meta('n', {
      labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' },
    }),
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'Unknown' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    },
  };
  const cells = row(nodeDefinition, node, NOW);
  assert.equal(cells.Status, 'NotReady,SchedulingDisabled');
  assert.equal(cells.Roles, 'control-plane,worker');
  assert.equal(cells['Internal-IP'], '10.0.0.1');
  assert.equal(cells['External-IP'], '<none>');
  assert.equal(cells['OS-Image'], '<unknown>');
});

test('endpoints show the first three addresses', () => {
  const addresses = ['1', '2', '3', '4'].map((last) => ({ ip: `10.0.0.${last}` }));
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: meta('e'),
    subsets: [{ addresses, ports: [{ port: 80 }] }],
  };
  assert.equal(row(endpointsDefinition, endpoints, NOW).Endpoints, '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...');
  assert.equal(row(endpointsDefinition, { ...endpoints, subsets: [] }, NOW).Endpoints, '<none>');
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta('e'),
    addressType: 'IPv4',
    endpoints: [],
  };
  assert.equal(row(endpointSliceDefinition, slice, NOW).Ports, '<unset>');
  assert.equal(row(endpointSliceDefinition, { ...slice, ports: [{ port: 80 }, { name: 'x' }] }, NOW).Ports, '80,x');
});

test('an event is one object in two versions', () => {
  const core = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: meta('ev'),
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Started',
    message: 'Started container\n',
    type: 'Normal',
    count: 3,
    source: { component: 'kubelet', host: 'node-1' },
    firstTimestamp: '2024-01-01T00:00:00Z',
    lastTimestamp: '2024-01-01T00:04:00Z',
  };
  assert.deepEqual(row(eventDefinition, core, NOW), {
    'Last Seen': '60s',
    Type: 'Normal',
    Reason: 'Started',
    Object: 'pod/p',
    Subobject: '',
    Source: 'kubelet, node-1',
    Message: 'Started container',
    'First Seen': '5m',
    Count: '3',
    Name: 'ev',
  });
  const other = fromCoreEvent(core);
  assert.equal(other.apiVersion, 'events.k8s.io/v1');
  assert.deepEqual(other.regarding, core.involvedObject);
  assert.equal(other.note, core.message);
  assert.deepEqual(toCoreEvent(other), core);
  assert.equal(row(eventsV1EventDefinition, toCoreEvent(other), NOW).Object, 'pod/p');
});

test('a signing request shows how far it has come', () => {
  const request = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: meta('r'),
    spec: { request: '', signerName: 'kubernetes.io/kubelet-serving', username: 'me', expirationSeconds: 86400 },
  };
  const condition = (type: string) => ({ type, status: 'True' });
  const cells = row(certificateSigningRequestDefinition, request, NOW);
  assert.deepEqual([cells.Condition, cells.RequestedDuration, cells.Requestor], ['Pending', '24h', 'me']);
  const issued = { ...request, status: { conditions: [condition('Approved')], certificate: 'x' } };
  assert.equal(row(certificateSigningRequestDefinition, issued, NOW).Condition, 'Approved,Issued');
});

test('a revision names its controller', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true };
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: meta('r', { ownerReferences: [owner] }),
    revision: 2,
  };
  assert.equal(row(controllerRevisionDefinition, revision, NOW).Controller, 'daemonset.apps/d');
});
