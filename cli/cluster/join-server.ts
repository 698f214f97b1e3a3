import { connect as tlsConnect } from 'node:tls';
import { isConditionTrue } from '../../shared/api/condition.js';
import { nodes as nodeResource } from '../../shared/api/generated/resources.js';
import type { ConfigMap } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromAccess } from '../../shared/client/connect.js';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { systemClock } from '../../shared/clock/clock.js';
import { isNotFound, StatusError } from '../../shared/errors/status-error.js';
import { Failure } from './failure.js';

/** What a joining host has to know of its cluster. */
export interface ClusterInfo {
  readonly ca: string;
  readonly clusterCIDR: string;
  readonly serviceCIDR: string;
  readonly clusterDNS: string;
  readonly clusterDomain: string;
}

const timeoutMs = 10_000;
const newToken = 'Make a new one on the server with: knarr token create --print-join-command';

/** The address of a server as a person types it; the port is 6443 when none is given. */
export function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:')
    throw new Failure(`"${text}" is not a server's address; it looks like https://192.168.1.10:6443`);
  if (url.port === '') url.port = '6443';
  return url;
}

/** Our address on the interface that routes to the server; a server that cannot be reached is told in one sentence. */
export function addressTowards(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    // Whose certificate it is does not matter yet: the authority is not known before cluster-info is read.
    const socket = tlsConnect({ host: url.hostname, port: Number(url.port), rejectUnauthorized: false });
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(
        new Failure(
          `The server ${url.origin} cannot be reached from here (${reason}). Check the address, and that no firewall closes port ${url.port}`,
        ),
      );
    };
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      const [local = '', remote = ''] = [socket.localAddress, socket.remoteAddress].map(withoutMapping);
      socket.destroy();
      if (local !== remote) resolve(local);
      else
        reject(
          new Failure(
            `The server ${url.origin} runs on this machine. For more nodes on one machine use: knarr up --nodes 2`,
          ),
        );
    });
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  });
}

const withoutMapping = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '');

/** Reads kube-public/cluster-info without trust, checks the authority by its hash, then reads it again with trust. */
export async function fetchClusterInfo(url: URL, caHash: string): Promise<ClusterInfo> {
  const { publicKeyHash } = await import('../../shared/pki/certificate.js');
  const { ca } = await readClusterInfo(url, { server: url.origin, insecureSkipTlsVerify: true });
  const hash = publicKeyHash(ca);
  if (hash !== caHash)
    throw new Failure(
      `The server's authority has the hash ${hash}, not ${caHash}: either the hash is mistyped, or somebody else answers at ${url.origin}. Nothing was joined`,
    );
  return readClusterInfo(url, { server: url.origin, ca });
}

async function readClusterInfo(
  url: URL,
  connection: { server: string; ca?: string; insecureSkipTlsVerify?: boolean },
): Promise<ClusterInfo> {
  const client = clientFromAccess({ connection }, { clock: systemClock, userAgent: 'knarr-join', timeoutMs });
  try {
    const { status, body } = await client.raw({ path: '/api/v1/namespaces/kube-public/configmaps/cluster-info' });
    const info = status === 200 ? parseClusterInfo(body.toString()) : undefined;
    if (info) return info;
    throw new Failure(
      `${url.origin} does not tell how to join it (status ${status}). Is it a Knarr server, and is knarr up finished there?`,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_TLS_CERT_ALTNAME_INVALID') throw error;
    throw new Failure(
      `The server's certificate does not name ${url.hostname}. Use the address that knarr token create --print-join-command prints`,
    );
  } finally {
    client.close();
  }
}

/** Undefined when this is not what `knarr up` writes. */
export function parseClusterInfo(text: string): ClusterInfo | undefined {
  try {
    const { data = {} } = JSON.parse(text) as ConfigMap;
    const { clusters } = JSON.parse(data['kubeconfig'] ?? '') as Kubeconfig;
    const network = JSON.parse(data['knarr.json'] ?? '') as Omit<ClusterInfo, 'ca'>;
    const ca = Buffer.from(clusters?.[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
    return ca.includes('BEGIN CERTIFICATE') ? { ...network, ca } : undefined;
  } catch {
    // Some other server's answer: the caller says so.
    return undefined;
  }
}

/** Throws a Failure where the token is not valid, or a living node has the name already: two would take each other's pods. */
export async function checkToken(
  url: URL,
  { ca, token, name }: { ca: string; token: string; name: string },
): Promise<void> {
  const access = { connection: { server: url.origin, ca }, token };
  const client: Client = clientFromAccess(access, { clock: systemClock, userAgent: 'knarr-join', timeoutMs });
  try {
    const { status } = await client.get(nodeResource, name);
    if (isConditionTrue(status?.conditions, 'Ready'))
      throw new Failure(`The cluster already has a node "${name}". Choose another name with: --node-name`);
  } catch (error) {
    if (isNotFound(error)) return;
    if (!(error instanceof StatusError)) throw error;
    if (error.code === 401)
      throw new Failure(`The server does not know this token: it is mistyped, or it has expired. ${newToken}`);
    if (error.code === 403) throw new Failure(`This token does not let a machine join. ${newToken}`);
    throw error;
  } finally {
    client.close();
  }
}
