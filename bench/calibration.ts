import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCertificateAuthority, issueCertificate } from '../shared/pki/certificate.js';
import { Client } from './client.js';
import { perSecond, pool, timed, type Calibration } from './figure.js';

/** Finds the limits of this machine, as the original's figures were calibrated: five small loads, a few seconds. */
export async function calibrate(directory: string): Promise<Calibration> {
  return {
    fdatasyncPerSecond: fdatasyncRate(join(directory, 'calibration')),
    ...(await tlsRates()),
    ...jsonRates(),
  };
}

function fdatasyncRate(path: string): number {
  const fd = openSync(path, 'w');
  const block = Buffer.alloc(4096, 1);
  const count = 1000;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(fd, block);
    fdatasyncSync(fd);
  }
  closeSync(fd);
  rmSync(path);
  return perSecond(count, performance.now() - start);
}

function jsonRates(): Pick<Calibration, 'stringifyPerSecond' | 'parsePerSecond'> {
  const pod = samplePod();
  const text = JSON.stringify(pod);
  const rate = (job: () => unknown): number => {
    for (let i = 0; i < 5000; i++) job();
    const count = 30_000;
    const start = performance.now();
    for (let i = 0; i < count; i++) job();
    return perSecond(count, performance.now() - start);
  };
  return { stringifyPerSecond: rate(() => JSON.stringify(pod)), parsePerSecond: rate(() => JSON.parse(text)) };
}

/** A pod of 3.2 KB, in the shape of one that runs. */
export function samplePod(): unknown {
  const condition = (type: string): unknown => ({
    type,
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  const container = (name: string): unknown => ({
    name,
    image: 'registry.example/app:1',
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 8 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `some value of it ${i}` })),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'sample-5d4f8c7b9-abcde',
      namespace: 'default',
      uid: '11111111-2222-3333-4444-555555555555',
      resourceVersion: '123456',
      labels: { app: 'sample', 'pod-template-hash': '5d4f8c7b9' },
      annotations: { 'bench/note': 'x'.repeat(390) },
    },
    spec: { containers: [container('app'), container('sidecar')], nodeName: 'node-1', restartPolicy: 'Always' },
    status: {
      phase: 'Running',
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
      podIP: '10.244.1.2',
    },
  };
}

async function tlsRates(): Promise<Pick<Calibration, 'tlsPostPerSecond' | 'tlsGetPerSecond'>> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createCertificateAuthority({ subject: { commonName: 'bench' }, ...validity });
  const leaf = await issueCertificate(ca, {
    subject: { commonName: 'do-nothing' },
    usages: ['server'],
    ipAddresses: ['127.0.0.1'],
    ...validity,
  });
  const env = { ...process.env, BENCH_CERT: leaf.certificate, BENCH_KEY: leaf.key };
  const server = fork(fileURLToPath(new URL('./do-nothing-server.js', import.meta.url)), { env });
  try {
    const [port] = (await once(server, 'message')) as [number];
    const width = 32;
    const client = new Client({ server: `https://127.0.0.1:${port}`, width, ca: ca.certificate });
    const body = Buffer.from(JSON.stringify(samplePod()));
    const rate = async (count: number, send: () => Promise<unknown>): Promise<number> => {
      await pool(count / 4, width, send);
      const [elapsedMs] = await timed(() => pool(count, width, send));
      return perSecond(count, elapsedMs);
    };
    const tlsPostPerSecond = await rate(12_000, () => client.must('POST', '/', body));
    const tlsGetPerSecond = await rate(16_000, () => client.must('GET', '/'));
    client.close();
    return { tlsPostPerSecond, tlsGetPerSecond };
  } finally {
    server.kill();
  }
}
