import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateOptions, KeyPair } from '../../shared/pki/certificate.js';
import { type ClusterFiles, type ClusterState, makePrivateDirectory, writePrivateFile } from './state.js';

const year = 365 * 24 * 3600 * 1000;
const authorityYears = 10;
const renewBeforeMs = 30 * 24 * 3600 * 1000;

/** File names inside the pki folder. */
export const pkiFiles = {
  ca: 'ca',
  apiserver: 'apiserver',
  kubeletClient: 'apiserver-kubelet-client',
  frontProxyCa: 'front-proxy-ca',
  frontProxyClient: 'front-proxy-client',
  serviceAccountKey: 'sa.key',
  encryptionKeys: 'encryption.json',
} as const;

interface Wanted {
  readonly file: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usages: CertificateOptions['usages'];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** The address that the Service `kubernetes` gets: the first of the range. */
function firstServiceAddress(serviceCIDR: string): string {
  const [base = ''] = serviceCIDR.split('/');
  const parts = base.split('.').map(Number);
  parts[3] = (parts[3] ?? 0) + 1;
  return parts.join('.');
}

function serverNames(
  state: ClusterState,
  hostAddresses: readonly string[],
): { dnsNames: string[]; ipAddresses: string[] } {
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${state.clusterDomain}`,
  ];
  return {
    dnsNames: ['localhost', ...service],
    ipAddresses: [
      ...new Set(['127.0.0.1', '::1', firstServiceAddress(state.serviceCIDR), state.linkAddress, ...hostAddresses]),
    ],
  };
}

const kubeconfigUsers = [
  { name: 'admin', commonName: 'kubernetes-admin', organizations: ['system:masters'] },
  { name: 'scheduler', commonName: 'system:kube-scheduler' },
  { name: 'controller-manager', commonName: 'system:kube-controller-manager' },
];

interface Kubeconfig {
  readonly server: string;
  readonly ca: string;
  readonly cluster: string;
  readonly user: string;
  readonly credentials: Record<string, string>;
}

/** A kubeconfig with everything inside; JSON is YAML, and quicker to read. */
export function kubeconfigText({ server, ca, cluster, user, credentials }: Kubeconfig): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: cluster, context: { cluster, user } }],
    'current-context': cluster,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Credentials of a certificate for a kubeconfig's user. */
function certificateCredentials(pair: KeyPair): Record<string, string> {
  return { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) };
}

/**
 * Makes whatever is missing of the cluster's authority, certificates, keys and kubeconfigs, for a server's state. What is
 * there is kept. The certificate library is loaded only when something has to be issued.
 */
export async function ensureIdentity(
  files: ClusterFiles,
  state: ClusterState,
  hostAddresses: readonly string[],
): Promise<void> {
  for (const folder of [
    files.root,
    files.pki,
    files.kubeconfigs,
    ...state.nodes.flatMap((n) => [files.node(n.name), join(files.node(n.name), 'pki')]),
  ])
    makePrivateDirectory(folder);
  const inPki = (file: string): string => join(files.pki, file);
  const issuer = new Issuer({ file: inPki(pkiFiles.ca), commonName: 'knarr-ca' });
  const names = serverNames(state, hostAddresses);
  await issuer.ensure({ file: inPki(pkiFiles.apiserver), commonName: 'kube-apiserver', usages: ['server'], ...names });
  await issuer.ensure({
    file: inPki(pkiFiles.kubeletClient),
    commonName: 'kube-apiserver-kubelet-client',
    organizations: ['system:masters'],
    usages: ['client'],
  });
  // An authority of its own: no other certificate of the cluster may speak for others.
  const frontProxy = new Issuer({ file: inPki(pkiFiles.frontProxyCa), commonName: 'front-proxy-ca' });
  await frontProxy.ensure({
    file: inPki(pkiFiles.frontProxyClient),
    commonName: 'front-proxy-client',
    usages: ['client'],
  });
  ensureServiceAccountKey(inPki(pkiFiles.serviceAccountKey));
  for (const user of kubeconfigUsers)
    await issuer.ensureKubeconfig(join(files.kubeconfigs, `${user.name}.conf`), state, user);
  for (const node of state.nodes) {
    const user = {
      name: `system:node:${node.name}`,
      commonName: `system:node:${node.name}`,
      organizations: ['system:nodes'],
    };
    await issuer.ensureKubeconfig(join(files.node(node.name), 'kubelet.conf'), state, user);
    await issuer.ensure({
      ...user,
      file: join(files.node(node.name), 'pki', 'kubelet-server'),
      usages: ['server'],
      dnsNames: [node.name],
      ipAddresses: [...new Set([node.ip, state.linkAddress])],
    });
  }
}

function ensureServiceAccountKey(path: string): void {
  if (existsSync(path)) return;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writePrivateFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** Issues certificates of one authority, which is made when it is needed first. */
class Issuer {
  readonly #own: { readonly file: string; readonly commonName: string };
  #authority: Promise<KeyPair> | undefined;

  constructor(own: { readonly file: string; readonly commonName: string }) {
    this.#own = own;
  }

  async ensure(wanted: Wanted): Promise<KeyPair> {
    const found = readPair(wanted.file);
    if (found && isStillGood(found, wanted.ipAddresses ?? [])) return found;
    const { issueCertificate } = await import('../../shared/pki/certificate.js');
    const { commonName, organizations, ...rest } = wanted;
    const subject = { commonName, ...(organizations ? { organizations } : {}) };
    const pair = await issueCertificate(await this.authority(), { ...rest, subject, ...validity(1) });
    writePrivateFile(`${wanted.file}.key`, pair.key);
    writePrivateFile(`${wanted.file}.crt`, pair.certificate);
    return pair;
  }

  async ensureKubeconfig(
    path: string,
    state: ClusterState,
    user: { name: string; commonName: string; organizations?: readonly string[] },
  ): Promise<void> {
    if (existsSync(path) && isStillGood(kubeconfigPair(path), [])) return;
    const { issueCertificate } = await import('../../shared/pki/certificate.js');
    const ca = await this.authority();
    const pair = await issueCertificate(ca, { subject: user, usages: ['client'], ...validity(1) });
    writePrivateFile(
      path,
      kubeconfigText({
        server: state.server,
        ca: ca.certificate,
        cluster: `knarr-${state.name}`,
        user: user.name,
        credentials: certificateCredentials(pair),
      }),
    );
  }

  authority(): Promise<KeyPair> {
    this.#authority ??= this.#loadAuthority();
    return this.#authority;
  }

  async #loadAuthority(): Promise<KeyPair> {
    const { file, commonName } = this.#own;
    const found = readPair(file);
    if (found) return found;
    const { createCertificateAuthority } = await import('../../shared/pki/certificate.js');
    const pair = await createCertificateAuthority({ subject: { commonName }, ...validity(authorityYears) });
    writePrivateFile(`${file}.key`, pair.key);
    writePrivateFile(`${file}.crt`, pair.certificate);
    return pair;
  }
}

/** From an hour ago, for hosts whose clocks differ a little. */
function validity(years: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 3600 * 1000), notAfter: new Date(Date.now() + years * year) };
}

/** Whether a certificate lasts another month and names all of these addresses. */
function isStillGood(pair: KeyPair, ipAddresses: readonly string[]): boolean {
  const certificate = new X509Certificate(pair.certificate);
  const leftMs = new Date(certificate.validTo).getTime() - Date.now();
  return leftMs > renewBeforeMs && ipAddresses.every((ip) => certificate.checkIP(ip) !== undefined);
}

interface KubeconfigUser {
  readonly user: Record<string, string>;
}

function kubeconfigPair(path: string): KeyPair {
  const config = JSON.parse(readFileSync(path, 'utf8')) as { users: KubeconfigUser[] };
  const text = (field: string): string => Buffer.from(config.users[0]?.user[field] ?? '', 'base64').toString('utf8');
  return { certificate: text('client-certificate-data'), key: text('client-key-data') };
}

function readPair(file: string): KeyPair | undefined {
  if (!existsSync(`${file}.crt`) || !existsSync(`${file}.key`)) return undefined;
  return { certificate: readFileSync(`${file}.crt`, 'utf8'), key: readFileSync(`${file}.key`, 'utf8') };
}
