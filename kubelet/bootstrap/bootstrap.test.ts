import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { certificatesigningrequests, nodes } from '../../shared/api/generated/resources.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { systemClock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { silentLog } from '../../shared/log/log.js';
import { signRequest } from '../../shared/pki/certificate.js';
import { renewalMs } from './certificate-file.js';
import { ensureNodeKubeconfig } from './node-kubeconfig.js';
import { ServingCertificate } from './serving-certificate.js';

let server: TestServer;
let admin: Client;
let root: string;
before(async () => {
  server = await startTestServer();
  admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  root = await mkdtemp(join(tmpdir(), 'knarr-bootstrap-'));
});
after(async () => {
  admin.close();
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const never = new AbortController().signal;
const day = 86_400_000;

/** Plays the controllers that approve and sign. Returns the names of the signers asked. */
async function signNext(): Promise<string> {
  return await eventually(async () => {
    const { items } = await admin.list(certificatesigningrequests);
    const open = items.find((item) => !item.status?.certificate && !item.status?.conditions);
    assert.ok(open);
    const request = Buffer.from(open.spec.request, 'base64').toString('utf8');
    const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 10 * day) };
    const usages = open.spec.usages?.includes('server auth') ? (['server'] as const) : (['client'] as const);
    const certificate = await signRequest(server.caKeyPair, request, { usages: [...usages], ...validity });
    const status = { ...open.status, certificate: Buffer.from(certificate).toString('base64') };
    await admin.updateStatus(certificatesigningrequests, { ...open, status });
    return open.spec.signerName;
  });
}

test('a node without credentials asks for a certificate and writes a kubeconfig that only root can read', async () => {
  const path = join(root, 'kubelet.conf');
  const bootstrapPath = await server.kubeconfigFor('system:bootstrap:abcdef', [
    'system:bootstrappers',
    'system:bootstrappers:kubeadm:default-node-token',
  ]);
  const options = { path, bootstrapPath, nodeName: 'node-9', clock: systemClock, log: silentLog };
  const [signer] = await Promise.all([signNext(), ensureNodeKubeconfig(options, never)]);
  assert.equal(signer, 'kubernetes.io/kube-apiserver-client-kubelet');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const client = await clientFromKubeconfig(path, { clock: systemClock });
  await client.create(nodes, { metadata: { name: 'node-9' }, spec: {} });
  client.close();
  const written = await readFile(path, 'utf8');
  await ensureNodeKubeconfig(options, never);
  assert.equal(await readFile(path, 'utf8'), written);
});

test('without any credentials the sentence says what is missing', async () => {
  const options = {
    path: join(root, 'none.conf'),
    bootstrapPath: undefined,
    nodeName: 'n',
    clock: systemClock,
    log: silentLog,
  };
  await assert.rejects(ensureNodeKubeconfig(options, never), /none\.conf: no such file, and no --bootstrap-kubeconfig/);
});

test('a serving certificate names the address of the node and is kept for the next start', async () => {
  const file = join(root, 'pki', 'kubelet-server');
  const client = await clientFromKubeconfig(await server.kubeconfigFor('system:node:node-9', ['system:nodes']), {
    clock: systemClock,
  });
  const options = {
    client,
    clock: systemClock,
    log: silentLog,
    file,
    nodeName: 'node-9',
    nodeIP: '192.0.2.9',
    clientCA: server.ca,
  };
  const serve = async (): Promise<ServingCertificate> => {
    const certificate = new ServingCertificate(options);
    const stopping = new AbortController();
    await new Promise<void>((resolve) => {
      void certificate.run(() => Promise.resolve(resolve()), stopping.signal);
    });
    stopping.abort();
    return certificate;
  };
  const [signer, first] = await Promise.all([signNext(), serve()]);
  assert.equal(signer, 'kubernetes.io/kubelet-serving');
  assert.equal(new X509Certificate(first.current().cert).checkIP('192.0.2.9'), '192.0.2.9');
  const second = await serve();
  assert.equal(second.current().cert, first.current().cert);
  client.close();
});

test('a certificate is renewed after 80 % of its life, and at once when it cannot be used', async () => {
  const certificate = await readFile(join(root, 'pki', 'kubelet-server.crt'), 'utf8');
  const { validFrom, validTo } = new X509Certificate(certificate);
  const want = Date.parse(validFrom) + 0.8 * (Date.parse(validTo) - Date.parse(validFrom));
  assert.equal(renewalMs({ certificate, key: 'k' }), want);
  assert.equal(renewalMs({ certificate, key: 'k' }, ['192.0.2.200']), -Infinity);
  assert.equal(renewalMs({ certificate: 'nonsense', key: 'k' }), -Infinity);
});
