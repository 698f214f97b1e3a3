import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';

import type { Pod } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { systemClock, type Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { silentLog } from '../../shared/log/log.js';
import { createCertificateAuthority, issueCertificate, type KeyPair } from '../../shared/pki/certificate.js';
import { writeAndDrain } from '../runtime/bounded-output.js';
import {
  RuntimeError,
  type ContainerConfig,
  type ExecOptions,
  type SandboxConfig,
} from '../runtime/container-runtime.js';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.js';
import { createClientAccess } from './client-access.js';
import { createKubeletServer, type KubeletServer, type TlsMaterial } from './kubelet-server.js';

/** For tests: a kubelet server over a hollow runtime with one pod `default/web`, and clients with certificates. */
export interface KubeletWorld {
  readonly runtime: HollowRuntime;
  readonly server: KubeletServer;
  readonly tls: { replace(material: TlsMaterial): void };
  readonly ca: KeyPair;
  readonly sandboxId: string;
  readonly containerId: string;
  client(commonName: string, organizations?: readonly string[], ca?: KeyPair): Promise<ClientTls>;
  /** @param client nothing: the apiserver's own */
  get(path: string, client?: Partial<ClientTls>, token?: string): Promise<{ code: number; body: string }>;
  /** Sends an upgrade request and returns the connection after the 101, or the refusal. */
  upgrade(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    client?: Partial<ClientTls>,
  ): Promise<Upgraded>;
  close(): Promise<void>;
}

export interface ClientTls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}
export type Upgraded =
  | { readonly socket: Duplex; readonly headers: Readonly<Record<string, string | string[] | undefined>> }
  | { readonly code: number; readonly body: string };

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
const podUid = '11111111-2222-4333-8444-555555555555';

const webPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: podUid },
  spec: {
    containers: [
      { name: 'main', image: 'web:1' },
      { name: 'waiting', image: 'x' },
    ],
  },
  status: {
    containerStatuses: [
      {
        name: 'waiting',
        image: 'x',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: 'PodInitializing' } },
      },
    ],
  },
} as unknown as Pod;

const issue = (ca: KeyPair, commonName: string, organizations: readonly string[]): Promise<KeyPair> =>
  issueCertificate(ca, {
    subject: { commonName, organizations },
    usages: ['client', 'server'],
    ipAddresses: ['127.0.0.1'],
    ...validity,
  });

export interface KubeletWorldOptions {
  readonly idleTimeoutMs?: number;
  /** Default: an authority of its own. */
  readonly ca?: KeyPair;
  /** The API server that knows tokens and rights. Default: one that knows nobody. */
  readonly client?: Client;
  readonly clock?: Clock;
}

const knowsNobody = {
  create: () => Promise.reject(new StatusError(403, 'Forbidden', 'nobody is known here')),
} as unknown as Client;

export async function createKubeletWorld(options: KubeletWorldOptions = {}): Promise<KubeletWorld> {
  const { idleTimeoutMs, client = knowsNobody, clock = systemClock } = options;
  const ca = options.ca ?? (await createCertificateAuthority({ subject: { commonName: 'test-ca' }, ...validity }));
  const serving = await issue(ca, 'system:node:node-1', ['system:nodes']);
  const apiserver = await issue(ca, 'kube-apiserver-kubelet-client', ['system:masters']);
  const tls = new ReplaceableTls({ key: serving.key, cert: serving.certificate, clientCA: ca.certificate });
  const { runtime, sandboxId, containerId } = await createRuntime();
  const server = createKubeletServer({
    host: '127.0.0.1',
    port: 0,
    nodeName: 'node-1',
    runtime,
    pods: {
      list: () => [webPod],
      get: (namespace, name) => (`${namespace}/${name}` === 'default/web' ? webPod : undefined),
    },
    tls,
    access: createClientAccess({ client, clock, log: silentLog, nodeName: 'node-1' }),
    clock: systemClock,
    log: silentLog,
    metrics: () => 'kubelet_running_pods 1\n',
    probeMetrics: () => '# TYPE prober_probe_total counter\n',
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  });
  await server.start();
  const own: ClientTls = { key: apiserver.key, cert: apiserver.certificate, ca: ca.certificate };
  return {
    runtime,
    server,
    tls,
    ca,
    sandboxId,
    containerId,
    client: async (commonName, organizations = [], signer = ca) => {
      const pair = await issue(signer, commonName, organizations);
      return { key: pair.key, cert: pair.certificate, ca: ca.certificate };
    },
    get: (path, client = own, token) => get(server.port, path, client, token),
    upgrade: (method, path, headers, client = own) => upgrade(server.port, client, { method, path, headers }),
    close: async () => {
      await server.stop();
      await runtime.close();
    },
  };
}

class ReplaceableTls {
  #material: TlsMaterial;
  readonly #listeners = new Set<() => void>();

  constructor(material: TlsMaterial) {
    this.#material = material;
  }

  current(): TlsMaterial {
    return this.#material;
  }

  subscribe(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  replace(material: TlsMaterial): void {
    this.#material = material;
    for (const listener of this.#listeners) listener();
  }
}

async function createRuntime(): Promise<{ runtime: HollowRuntime; sandboxId: string; containerId: string }> {
  const runtime = new HollowRuntime({
    clock: systemClock,
    images: ['web:1'],
    behaviour: () => ({ output: [{ stream: 'stdout', line: 'hello from web' }], echoesStdin: true }),
    exec: (_, options) => pretend(options),
    listener: (_, port) => (port === 80 ? new Upcaser() : undefined),
  });
  const sandbox = {
    pod: { namespace: 'default', name: 'web', uid: podUid },
    attempt: 0,
    hostNetwork: true,
    annotations: {},
  } as unknown as SandboxConfig;
  const sandboxId = await runtime.runPodSandbox(sandbox);
  const config = { name: 'main', attempt: 0, image: 'web:1', annotations: {} } as unknown as ContainerConfig;
  const containerId = await runtime.createContainer(sandboxId, config, sandbox);
  await runtime.startContainer(containerId);
  return { runtime, sandboxId, containerId };
}

/** The commands that exec understands in tests. */
async function pretend({ command, stdin, stdout, stderr, resize, signal }: ExecOptions): Promise<number> {
  const [name, argument = '0'] = command;
  const write = (data: string | Buffer): Promise<void> =>
    stdout ? writeAndDrain(stdout, Buffer.from(data)) : Promise.resolve();
  switch (name) {
    case 'cat':
      for await (const chunk of stdin ?? []) await write(chunk as Buffer);
      return 0;
    case 'fail':
      if (stderr) await writeAndDrain(stderr, Buffer.from('it went wrong\n'));
      return Number(argument);
    case 'fill':
      for (let left = Number(argument); left > 0; left -= 10_000)
        await write(Buffer.alloc(Math.min(left, 10_000), 'x'));
      return 0;
    case 'size':
      for await (const { width, height } of resize ?? []) {
        await write(`${width}x${height}\n`);
        if (height === 50) break;
      }
      return 0;
    case 'forever':
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
      throw new Error('aborted');
    default:
      throw new RuntimeError('Failed', `exec: "${name}": executable file not found in $PATH`);
  }
}

/** A listener in the pod: answers in capitals, ends when its client ends. */
class Upcaser extends Duplex {
  override _read(): void {
    // Pushed by _write.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.push(chunk.toString().toUpperCase());
    callback();
  }

  override _final(callback: () => void): void {
    this.push(null);
    callback();
  }
}

async function get(
  port: number,
  path: string,
  client: Partial<ClientTls>,
  token: string | undefined,
): Promise<{ code: number; body: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = { host: '127.0.0.1', port, path, headers, agent: false, rejectUnauthorized: false };
  const request = httpsRequest({ ...options, ...client });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { code: response.statusCode ?? 0, body: await text(response) };
}

async function upgrade(
  port: number,
  client: Partial<ClientTls>,
  wanted: { method: string; path: string; headers: Readonly<Record<string, string>> },
): Promise<Upgraded> {
  const headers = { connection: 'Upgrade', ...wanted.headers };
  const options = { host: '127.0.0.1', port, agent: false, rejectUnauthorized: false };
  const request = httpsRequest({ ...options, ...client, ...wanted, headers });
  request.end();
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('upgrade', (response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ socket, headers: response.headers });
    });
    request.once('response', (response) => {
      text(response).then((body) => resolve({ code: response.statusCode ?? 0, body }), reject);
    });
  });
}

/** A bare TLS connection with the apiserver's certificate. */
export async function connectTls(world: KubeletWorld): Promise<TLSSocket> {
  const client = await world.client('kube-apiserver-kubelet-client', ['system:masters']);
  const socket = tlsConnect({ host: '127.0.0.1', port: world.server.port, ...client });
  await once(socket, 'secureConnect');
  return socket;
}
