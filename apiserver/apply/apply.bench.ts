// Prints what the pure machinery costs per write of a pod: `node dist/apiserver/apply/apply.bench.js`.
import { decodeBody } from '../decode/decode.js';
import type { JsonObject } from '../../shared/api/json.js';
import { loadSchemas } from '../schema/schemas.js';
import { trackUpdate } from './track-update.js';

const schemas = loadSchemas();
const type = schemas.type('io.k8s.api.core.v1.Pod');
const env = Array.from({ length: 8 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value ${i}` }));
const pod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'web-', namespace: 'default', labels: { app: 'web', tier: 'front', hash: 'abc' } },
  spec: {
    containers: ['a', 'b'].map((name) => ({
      name,
      image: 'registry/image:1',
      env,
      imagePullPolicy: 'IfNotPresent',
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      readinessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1 },
      resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '64Mi' } },
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets', readOnly: true }],
    })),
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    serviceAccountName: 'default',
    terminationGracePeriodSeconds: 30,
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
    volumes: [{ name: 'token', projected: { defaultMode: 420, sources: [] } }],
  },
};
const manager = { manager: 'bench', apiVersion: 'v1', subresource: '', time: '2026-01-01T00:00:00Z' };

function measure(name: string, run: () => unknown): void {
  for (let i = 0; i < 5_000; i++) run();
  const rounds = 20_000;
  const startedMs = performance.now();
  for (let i = 0; i < rounds; i++) run();
  const microseconds = ((performance.now() - startedMs) * 1000) / rounds;
  process.stdout.write(`${name.padEnd(40)} ${microseconds.toFixed(1)} us\n`);
}

const bytes = Buffer.from(JSON.stringify(pod));
const created: JsonObject = {
  ...pod,
  metadata: { ...(pod['metadata'] as JsonObject), managedFields: trackUpdate(undefined, pod, type, manager) },
};
const bound: JsonObject = { ...created, spec: { ...(created['spec'] as JsonObject), nodeName: 'node-1' } };
process.stdout.write(`a pod of ${bytes.length} bytes\n`);
measure('JSON.parse', () => JSON.parse(bytes.toString('utf8')));
measure('JSON.stringify', () => JSON.stringify(pod));
measure('decodeBody', () =>
  decodeBody(bytes, 'application/json', { expected: { apiVersion: 'v1', kind: 'Pod' }, structure: type }),
);
measure('trackUpdate, create', () => trackUpdate(undefined, pod, type, manager));
measure('trackUpdate, one field by another', () => trackUpdate(created, bound, type, { ...manager, manager: 'other' }));
measure('trackUpdate, nothing', () => trackUpdate(created, created, type, manager));
