import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, PodSpec } from '../../shared/api/generated/types.js';
import { podDefinition } from './pod.js';
import { createErrors, meta, updateErrors } from './testing.js';

const container = (more: Partial<Container> = {}): Container => ({ name: 'c', image: 'busybox:1', ...more });
const pod = (spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta('p'),
  spec: { containers: [container()], ...spec },
});

const DNS_LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

test('a minimal pod gets the defaults of the original', () => {
  const given = pod({
    containers: [
      container({
        ports: [{ containerPort: 80 }],
        livenessProbe: { httpGet: { port: 80 } },
        readinessProbe: { grpc: { port: 1 } },
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        resources: { limits: { cpu: '0.5', memory: '1024Mi' }, requests: { cpu: '100m' } },
      }),
    ],
    serviceAccountName: 'sa',
    volumes: [
      { name: 'none' },
      { name: 'cm', configMap: { name: 'a' } },
      { name: 'host', hostPath: { path: '/x' } },
      { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
    ],
  });
  assert.deepEqual(createErrors(podDefinition, given), []);
  assert.deepEqual(given.spec, {
    containers: [
      {
        name: 'c',
        image: 'busybox:1',
        imagePullPolicy: 'IfNotPresent',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        livenessProbe: {
          httpGet: { port: 80, path: '/', scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        readinessProbe: {
          grpc: { port: 1, service: '' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } } }],
        resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } },
      },
    ],
    serviceAccountName: 'sa',
    serviceAccount: 'sa',
    volumes: [
      { name: 'none', emptyDir: {} },
      { name: 'cm', configMap: { name: 'a', defaultMode: 420 } },
      { name: 'host', hostPath: { path: '/x', type: '' } },
      {
        name: 'p',
        projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }], defaultMode: 420 },
      },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
  });
  assert.deepEqual(given.status, { phase: 'Pending', qosClass: 'Burstable' });
});

test('the pull policy follows the tag', () => {
  const table: [string, string][] = [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.25', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:abc', 'IfNotPresent'],
  ];
  for (const [image, policy] of table) {
    const given = pod({ containers: [container({ image })] });
    podDefinition.strategy.defaults?.(given);
    assert.equal(given.spec.containers[0]?.imagePullPolicy, policy, image);
  }
});

test('a pod that breaks a rule is told which, where and why', () => {
  const table: [string, Partial<PodSpec>, string[]][] = [
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    ['no image', { containers: [{ name: 'c' }] }, ['spec.containers[0].image: Required value']],
    [
      'bad name',
      { containers: [container({ name: 'A' })] },
      [`spec.containers[0].name: Invalid value: "A": ${DNS_LABEL}`],
    ],
    [
      'dots in name',
      { containers: [container({ name: 'a.b' })] },
      ['spec.containers[0].name: Invalid value: "a.b": must not contain dots'],
    ],
    ['same name twice', { containers: [container(), container()] }, ['spec.containers[1].name: Duplicate value: "c"']],
    [
      'init container of the same name',
      { initContainers: [container()] },
      ['spec.initContainers[0].name: Duplicate value: "c"'],
    ],
    [
      'ports',
      {
        containers: [
          container({
            ports: [
              { containerPort: 0 },
              { containerPort: 70000 },
              { containerPort: 1, protocol: 'tcp' },
              { containerPort: 2, name: 'Web' },
            ],
          }),
        ],
      },
      [
        'spec.containers[0].ports[0].containerPort: Required value',
        'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.containers[0].ports[2].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
        'spec.containers[0].ports[3].name: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    ],
    [
      'environment',
      {
        containers: [
          container({
            env: [
              { name: '' },
              { name: 'A=B' },
              { name: 'C', valueFrom: {} },
              { name: 'D', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'E', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } },
            ],
          }),
        ],
      },
      [
        'spec.containers[0].env[0].name: Required value',
        'spec.containers[0].env[1].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
        'spec.containers[0].env[2].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
        'spec.containers[0].env[3].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        'spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.foo": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      ],
    ],
    [
      'mounts and volumes',
      {
        containers: [
          container({
            volumeMounts: [
              { name: 'x', mountPath: '/a' },
              { name: 'v', mountPath: '/a' },
              { name: 'v', mountPath: '' },
            ],
          }),
        ],
        volumes: [
          { name: 'v', emptyDir: {}, hostPath: { path: '/' } },
          { name: 'v', secret: {} },
        ],
      },
      [
        'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
        'spec.volumes[1].secret.secretName: Required value',
        'spec.volumes[1].name: Duplicate value: "v"',
        'spec.containers[0].volumeMounts[0].name: Not found: "x"',
        'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
        'spec.containers[0].volumeMounts[2].mountPath: Required value',
      ],
    ],
    [
      'volumes that the pod states itself',
      {
        containers: [container({})],
        volumes: [
          { name: 'a', ephemeral: {} },
          { name: 'b', ephemeral: { volumeClaimTemplate: { metadata: { name: 'x', labels: { a: 'b' } }, spec: {} } } },
          { name: 'c', csi: { driver: 'example.com', nodePublishSecretRef: { name: '' } } },
          { name: 'd', image: { pullPolicy: 'Never' } },
          { name: 'e', iscsi: { targetPortal: '10.0.0.1', iqn: 'x', lun: 256, chapAuthSession: true } },
          { name: 'f', gitRepo: { repository: '', directory: '../x' } },
          { name: 'g', gcePersistentDisk: { pdName: 'p', partition: 256 } },
          { name: 'h', cinder: { volumeID: '', secretRef: {} } },
          { name: 'i', rbd: { image: 'x', monitors: [] } },
        ],
      },
      [
        'spec.volumes[0].ephemeral.volumeClaimTemplate: Required value',
        'spec.volumes[1].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
        'spec.volumes[1].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
        'spec.volumes[1].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
        'spec.volumes[2].csi.nodePublishSecretRef.name: Required value',
        'spec.volumes[3].image.reference: Required value',
        'spec.volumes[4].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
        'spec.volumes[4].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
        'spec.volumes[4].iscsi.secretRef: Required value',
        'spec.volumes[5].gitRepo.repository: Required value',
        'spec.volumes[5].gitRepo.directory: Invalid value: "../x": must not contain \'..\'',
        'spec.volumes[6].persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive',
        'spec.volumes[7].cinder.volumeID: Required value',
        'spec.volumes[7].cinder.secretRef.name: Required value',
        'spec.volumes[8].rbd.monitors: Required value',
      ],
    ],
    [
      'probes',
      {
        containers: [
          container({
            livenessProbe: {},
            readinessProbe: { tcpSocket: { port: 1 }, exec: { command: ['x'] } },
            startupProbe: { exec: { command: [] }, successThreshold: 2 },
          }),
        ],
      },
      [
        'spec.containers[0].livenessProbe: Required value: must specify a handler type',
        'spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
        'spec.containers[0].startupProbe.exec.command: Required value',
        'spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1',
      ],
    ],
    [
      'request above the limit',
      { containers: [container({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } })] },
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'quantities',
      { containers: [container({ resources: { requests: { cpu: '-1', memory: 'lots' } } })] },
      [
        'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.containers[0].resources.requests[memory]: Invalid value: "lots": quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
      ],
    ],
    [
      'restart policy',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'dns none',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'deadline',
      { activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      'host alias',
      { hostAliases: [{ ip: 'x', hostnames: ['a'] }] },
      ['spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'toleration',
      {
        tolerations: [
          { value: 'x' },
          { key: 'a', operator: 'Exists', value: 'x' },
          { key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 },
        ],
      },
      [
        'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[1].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[2].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
    ],
    [
      'affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: { topologyKey: 'a' } }],
          },
        },
      },
      [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
      ],
    ],
    [
      'probes of init containers',
      { initContainers: [container({ name: 'i', livenessProbe: { tcpSocket: { port: 1 } } })] },
      [
        'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'host port twice',
      {
        containers: [
          container({
            ports: [
              { containerPort: 1, hostPort: 5 },
              { containerPort: 2, hostPort: 5 },
            ],
          }),
        ],
      },
      ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//5"'],
    ],
    [
      'ephemeral containers',
      { ephemeralContainers: [{ name: 'e', image: 'x:1' }] },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
  ];
  for (const [title, spec, expected] of table)
    assert.deepEqual(createErrors(podDefinition, pod(spec)), expected, title);
});

test('names and metadata are checked as in the original', () => {
  const bad = pod();
  bad.metadata = meta('Bad_Name', {
    labels: { 'a b': 'x', ok: '-' },
    annotations: { 'x/y/z': '' },
    finalizers: ['orphan', 'foregroundDeletion'],
    ownerReferences: [{ apiVersion: 'v1', kind: '', name: 'n', uid: 'u' }],
  });
  const errors = createErrors(podDefinition, bad);
  assert.match(
    errors[0] ?? '',
    /^metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist/,
  );
  assert.match(
    errors[1] ?? '',
    /^metadata\.labels: Invalid value: "a b": name part must consist of alphanumeric characters/,
  );
  assert.match(
    errors[2] ?? '',
    /^metadata\.labels: Invalid value: "-": a valid label must be an empty string or consist/,
  );
  assert.match(errors[3] ?? '', /^metadata\.annotations: Invalid value: "x\/y\/z": a valid label key must consist/);
  assert.equal(errors[4], 'metadata.ownerReferences.kind: Invalid value: "": must not be empty');
  assert.equal(
    errors[5],
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
  );
  assert.equal(errors.length, 6);
});

test('a pod may change its image and little else', () => {
  const base = (): Pod => pod({ tolerations: [{ key: 'a', operator: 'Exists' }], activeDeadlineSeconds: 10 });
  const table: [string, (pod: Pod) => void, RegExp | undefined][] = [
    ['image', (p) => (p.spec.containers = [container({ ...p.spec.containers[0], image: 'busybox:2' })]), undefined],
    ['labels', (p) => (p.metadata.labels = { a: 'b' }), undefined],
    ['another toleration', (p) => p.spec.tolerations?.push({ key: 'b', operator: 'Exists' }), undefined],
    [
      'no toleration',
      (p) => (p.spec.tolerations = []),
      /^spec\.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds$/,
    ],
    ['a shorter deadline', (p) => (p.spec.activeDeadlineSeconds = 5), undefined],
    [
      'a longer deadline',
      (p) => (p.spec.activeDeadlineSeconds = 15),
      /^spec\.activeDeadlineSeconds: Invalid value: 15: must be less than or equal to previous value$/,
    ],
    [
      'another container',
      (p) => p.spec.containers.push(container({ name: 'd' })),
      /^spec\.containers: Forbidden: pod updates may not add or remove containers$/,
    ],
    [
      'the node',
      (p) => (p.spec.nodeName = 'n'),
      /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,`spec\.initContainers\[\*\]\.image`,`spec\.activeDeadlineSeconds`,`spec\.tolerations` \(only additions to existing tolerations\),`spec\.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n\+ nodeName: "n"$/,
    ],
    ['the name', (p) => (p.metadata.name = 'q'), /^metadata\.name: Invalid value: "q": field is immutable$/],
  ];
  for (const [title, change, expected] of table) {
    const errors = updateErrors(podDefinition, base(), change);
    if (expected === undefined) assert.deepEqual(errors, [], title);
    else assert.match(errors.join('\n'), expected, title);
  }
});

test('status belongs to the status subresource', () => {
  const old = pod();
  createErrors(podDefinition, old);
  const next = structuredClone(old);
  next.status = { phase: 'Running' };
  next.spec.nodeName = 'x';
  podDefinition.strategy.prepareForStatusUpdate?.(next, old);
  assert.equal(next.spec.nodeName, undefined);
  assert.deepEqual(next.status, { phase: 'Running', qosClass: 'BestEffort' });
});

test('only a running pod on a node is given time to end', () => {
  const grace = podDefinition.gracefulDelete;
  assert.ok(grace);
  const scheduled = pod({ nodeName: 'n', terminationGracePeriodSeconds: 7 });
  assert.equal(grace(pod(), 30), 0);
  assert.equal(grace(scheduled, undefined), 7);
  assert.equal(grace(scheduled, 0), 0);
  assert.equal(grace(scheduled, -1), 1);
  assert.equal(grace({ ...scheduled, status: { phase: 'Succeeded' } }, 30), 0);
});
