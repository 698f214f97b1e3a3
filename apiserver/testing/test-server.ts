import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../shared/clock/clock.js';
import { silentLog, type Log } from '../../shared/log/log.js';
import { createCertificateAuthority, issueCertificate, type KeyPair } from '../../shared/pki/certificate.js';
import { startApiserver, type Apiserver, type ApiserverOptions } from '../build.js';
import { definitions as allDefinitions } from '../kinds/index.js';
import type { ResourceDefinition } from '../registry/definition.js';
import { loadSchemas } from '../schema/schemas.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import type { Storage } from '../storage/storage.js';
import { testFolder } from './test-folder.js';

export interface TestServerOptions {
  /** Default: a store in memory. It is closed with the server. */
  readonly storage?: Storage;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly definitions?: readonly ResourceDefinition[];
  /** Others who know users, and what is written down of requests. */
  readonly identity?: Pick<
    ApiserverOptions,
    'tokenAuthenticators' | 'letsInAnonymous' | 'authorizers' | 'audit' | 'takesBootstrapTokens'
  >;
  /**
   * Admission plugins that are off. Default: those that need a controller to go on, so that pods can be created where
   * nobody makes the namespace's default account, and new nodes take pods; `[]` for all as in a real cluster.
   */
  readonly disabledAdmission?: readonly string[];
  /** Requests that are answered at once, divided among the priority levels. */
  readonly serverSeats?: number;
  /** Admission plugins that are on although they are off by default. */
  readonly enabledAdmission?: readonly string[];
  readonly admissionConfiguration?: ApiserverOptions['admissionConfiguration'];
  readonly serving?: ApiserverOptions['serving'];
}

export interface TestServer {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** PEM of the cluster's authority. */
  readonly ca: string;
  readonly caKeyPair: KeyPair;
  /** Certificate of kubernetes-admin, group system:masters. */
  readonly admin: KeyPair;
  /** Kubeconfig (JSON) of the admin. */
  readonly kubeconfigPath: string;
  /** PEM of the key that signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  readonly storage: Storage;
  readonly apiserver: Apiserver;
  /** A client certificate for any user. */
  certificateFor(user: string, groups?: readonly string[]): Promise<KeyPair>;
  /** Writes a kubeconfig for any user, with its certificate inside, and returns its path. */
  kubeconfigFor(user: string, groups?: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

const year = 365 * 24 * 60 * 60 * 1000;
const issuer = 'https://kubernetes.default.svc.cluster.local';

/** The real API server, in this process, on a free port of loopback. Close it in the test's `after`. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? systemClock;
  const directory = testFolder('server');
  // Certificates live in real time, whatever clock the server has.
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + year) };
  const caKeyPair = await createCertificateAuthority({ subject: { commonName: 'knarr-test' }, ...validity });
  const serving = await issueCertificate(caKeyPair, {
    subject: { commonName: 'kube-apiserver' },
    usages: ['server'],
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1'],
    ...validity,
  });
  const certificateFor = (user: string, groups: readonly string[] = []): Promise<KeyPair> =>
    issueCertificate(caKeyPair, {
      subject: { commonName: user, organizations: groups },
      usages: ['client'],
      ...validity,
    });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serviceAccountKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const storage = options.storage ?? new MemoryStorage();
  const frontProxyCa = await createCertificateAuthority({ subject: { commonName: 'front-proxy-ca' }, ...validity });
  const frontProxyClient = await issueCertificate(frontProxyCa, {
    subject: { commonName: 'front-proxy-client' },
    usages: ['client'],
    ...validity,
  });
  const apiserver = await startApiserver({
    frontProxy: { client: frontProxyClient, ca: frontProxyCa.certificate, allowedNames: ['front-proxy-client'] },
    ...options.identity,
    storage,
    definitions: options.definitions ?? allDefinitions,
    schemas: loadSchemas(),
    clock,
    log: options.log ?? silentLog,
    tls: { certificate: serving.certificate, key: serving.key, clientCa: caKeyPair.certificate },
    bindAddress: '127.0.0.1',
    securePort: 0,
    serviceAccountKey,
    serviceAccountIssuer: issuer,
    newUid: randomUUID,
    disabledAdmission: options.disabledAdmission ?? [
      'ServiceAccount',
      'TaintNodesByCondition',
      'StorageObjectInUseProtection',
    ],
    ...(options.enabledAdmission ? { enabledAdmission: options.enabledAdmission } : {}),
    ...(options.admissionConfiguration ? { admissionConfiguration: options.admissionConfiguration } : {}),
    ...(options.serverSeats === undefined ? {} : { serverSeats: options.serverSeats }),
    ...(options.serving ? { serving: options.serving } : {}),
    random: Math.random,
    advertiseAddress: '192.0.2.1',
    serviceClusterIpRange: '10.96.0.0/16',
    nodePorts: { first: 30_000, last: 32_767 },
    kubeletClient: await certificateFor('kube-apiserver-kubelet-client', ['system:masters']),
  });
  const url = `https://127.0.0.1:${apiserver.port}`;
  const ca = caKeyPair.certificate;
  const writeKubeconfig = async (user: string, pair: KeyPair): Promise<string> => {
    const path = join(directory, `${user.replaceAll(/[^\w.-]/g, '_')}.conf`);
    await writeFile(path, kubeconfigText(url, ca, user, pair), { mode: 0o600 });
    return path;
  };
  const admin = await certificateFor('kubernetes-admin', ['system:masters']);
  return {
    url,
    port: apiserver.port,
    ca,
    caKeyPair,
    admin,
    kubeconfigPath: await writeKubeconfig('kubernetes-admin', admin),
    serviceAccountKey,
    storage,
    apiserver,
    certificateFor,
    kubeconfigFor: async (user, groups) => writeKubeconfig(user, await certificateFor(user, groups)),
    close: async () => {
      await apiserver.stop();
      await storage.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function kubeconfigText(server: string, ca: string, user: string, pair: KeyPair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
  });
}
