import { access } from 'node:fs/promises';
import { SIGNER_KUBE_API_CLIENT_KUBELET } from '../../shared/api/well-known.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig, waitForServer } from '../../shared/client/connect.js';
import { loadKubeconfig, type Kubeconfig } from '../../shared/client/kubeconfig.js';
import { pause, type Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import { hasExpired, renewalMs, writePrivateFile } from './certificate-file.js';
import { requestCertificate } from './certificate-request.js';

export interface NodeKubeconfigOptions {
  readonly path: string;
  /** Credentials (a token) that may ask for a certificate, for a node that has none yet. */
  readonly bootstrapPath: string | undefined;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sees to it that the node has a kubeconfig with a certificate of its own. */
export async function ensureNodeKubeconfig(options: NodeKubeconfigOptions, signal: AbortSignal): Promise<void> {
  const { path, bootstrapPath, clock, log } = options;
  const own = await ownCertificate(path);
  if (own === 'none' || (own !== 'missing' && !hasExpired(own, clock.now()))) return;
  if (bootstrapPath === undefined) {
    if (own === 'missing') throw new Error(`kubeconfig ${path}: no such file, and no --bootstrap-kubeconfig was given`);
    throw new Error(`kubeconfig ${path}: its certificate has expired; join the node again`);
  }
  log.info('asking the cluster for a node certificate', { node: options.nodeName });
  const client = await clientFromKubeconfig(bootstrapPath, { clock, userAgent: 'knarr-kubelet' });
  try {
    const onWaiting = (reason: string): void => log.info('waiting for the API server', { reason });
    await waitForServer(client, { clock, signal, onWaiting });
    await writeKubeconfig(options, await loadKubeconfig(bootstrapPath), await certify(options, client, signal));
  } finally {
    client.close();
  }
}

/** Renews the certificate in time, with the old one; `onRenewed` may then connect anew. Runs until aborted. */
export async function renewNodeKubeconfig(
  options: NodeKubeconfigOptions,
  client: Client,
  onRenewed: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { path, clock, log } = options;
  while (!signal.aborted) {
    const own = await ownCertificate(path);
    // A token or a file of somebody else's making: not ours to renew.
    const dueMs = typeof own === 'string' ? Infinity : renewalMs(own);
    const waitMs = Math.max(dueMs - clock.now(), 0);
    // In steps, as clocks can be set and a timer cannot wait for months.
    await pause(clock, Math.min(waitMs, 3_600_000), signal);
    if (signal.aborted || clock.now() < dueMs) continue;
    try {
      await writeKubeconfig(options, await loadKubeconfig(path), await certify(options, client, signal));
      await onRenewed();
      log.info('renewed the node certificate', { node: options.nodeName });
    } catch (error) {
      if (signal.aborted) return;
      log.warn('the node certificate cannot be renewed yet', { error });
      await pause(clock, 60_000, signal);
    }
  }
}

function certify(
  { nodeName, clock, log }: NodeKubeconfigOptions,
  client: Client,
  signal: AbortSignal,
): Promise<KeyPair> {
  return requestCertificate(
    {
      signerName: SIGNER_KUBE_API_CLIENT_KUBELET,
      usages: ['digital signature', 'client auth'],
      subject: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
    },
    { client, clock, signal, onWaiting: (name) => log.info('waiting for the approval of a certificate', { name }) },
  );
}

/** The certificate inside a kubeconfig; `none` when it identifies itself in another way. */
async function ownCertificate(path: string): Promise<KeyPair | 'missing' | 'none'> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return 'missing';
  const user = (await loadKubeconfig(path)).users?.[0]?.user;
  const certificate = user?.['client-certificate-data'];
  const key = user?.['client-key-data'];
  return certificate && key ? { certificate: decode(certificate), key: decode(key) } : 'none';
}

async function writeKubeconfig(options: NodeKubeconfigOptions, template: Kubeconfig, pair: KeyPair): Promise<void> {
  const { path, nodeName } = options;
  const cluster = template.clusters?.[0];
  const name = cluster?.name ?? 'default';
  const user = `system:node:${nodeName}`;
  const kubeconfig: Kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: cluster ? [cluster] : [],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': encode(pair.certificate), 'client-key-data': encode(pair.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
  };
  await writePrivateFile(path, `${JSON.stringify(kubeconfig, undefined, 2)}\n`);
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
