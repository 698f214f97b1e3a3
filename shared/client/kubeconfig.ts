import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { ConnectionOptions } from './connection.js';

/** A kubeconfig file, as far as Knarr reads it. */
export interface Kubeconfig {
  apiVersion?: string;
  kind?: string;
  'current-context'?: string;
  clusters?: { name: string; cluster: KubeconfigCluster }[];
  users?: { name: string; user: KubeconfigUser }[];
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
}
export interface KubeconfigCluster {
  server: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'tls-server-name'?: string;
  'insecure-skip-tls-verify'?: boolean;
}
export interface KubeconfigUser {
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
}

/** One user of a kubeconfig, with all files read but the token's, which rotates. */
export interface UserAccess {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
  readonly tokenFile?: string;
  /** `NAME:PASSWORD`. The API of a cluster knows no such users; webhooks may. */
  readonly basic?: string;
}

/** One context of a kubeconfig, with all files read but the token's, which rotates. */
export interface ClusterAccess {
  readonly connection: ConnectionOptions;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly namespace?: string;
}

/** Reads YAML. */
export type ParseYaml = (text: string, source: string) => unknown;

/** The YAML reader costs a start 50 ms: it is loaded for people's files, not for those that Knarr writes, which are JSON. */
const readYaml = async (text: string, source: string): Promise<unknown> => {
  const { readManifests } = await import('../manifest/manifest.js');
  return readManifests(text, { file: source })[0]?.value;
};

/** Reads a kubeconfig. Throws an Error whose message names the file and what is wrong with it. */
export async function loadKubeconfig(path: string, parseYaml: ParseYaml = readYaml): Promise<Kubeconfig> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`kubeconfig ${path}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`, {
      cause: error,
    });
  });
  const config = await parse(text, path, parseYaml);
  checkShape(config, path);
  return config;
}

type Mapping = Record<string, unknown>;

/** Lists of a kubeconfig, what an entry holds, and the fields in it that are texts. */
const shapes: readonly (readonly [list: string, part: string, texts: readonly string[]])[] = [
  ['clusters', 'cluster', ['server', 'certificate-authority', 'certificate-authority-data', 'tls-server-name']],
  [
    'users',
    'user',
    [
      'client-certificate',
      'client-certificate-data',
      'client-key',
      'client-key-data',
      'token',
      'tokenFile',
      'username',
      'password',
    ],
  ],
  ['contexts', 'context', ['cluster', 'user', 'namespace']],
];

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** People write these files: what is of another form than it must be is told by its place. */
function checkShape(config: unknown, path: string): asserts config is Kubeconfig {
  const refuse = (what: string): never => {
    throw new Error(`kubeconfig ${path}: ${what}`);
  };
  if (!isMapping(config)) return refuse('not a mapping');
  const checkText = (value: unknown, place: string): void => {
    if (value !== undefined && value !== null && typeof value !== 'string') refuse(`${place} is not a text`);
  };
  checkText(config['current-context'], 'current-context');
  for (const [list, part, texts] of shapes) {
    const entries = config[list] ?? [];
    if (!Array.isArray(entries)) return refuse(`${list} is not a list`);
    entries.forEach((entry: unknown, index) => {
      const place = `${list}[${index}]`;
      if (!isMapping(entry) || typeof entry['name'] !== 'string') return refuse(`${place} has no name`);
      const held = entry[part] ?? {};
      if (!isMapping(held)) return refuse(`${place}.${part} is not a mapping`);
      for (const text of texts) checkText(held[text], `${place}.${part}.${text}`);
    });
  }
}

function parse(text: string, path: string, parseYaml: ParseYaml): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return parseYaml(text, path); // it is YAML, of which JSON is a part
  }
}

/**
 * Resolves one context, by default the current one. Relative files are relative to the kubeconfig's folder. Throws an
 * Error with one sentence when something that it names is missing.
 */
export async function resolveContext(config: Kubeconfig, path: string, name?: string): Promise<ClusterAccess> {
  const contextName = name ?? config['current-context'] ?? '';
  const context = config.contexts?.find((c) => c.name === contextName)?.context;
  if (!context) throw new Error(`kubeconfig ${path}: context "${contextName}" does not exist`);
  const cluster = config.clusters?.find((c) => c.name === context.cluster)?.cluster;
  if (!cluster) throw new Error(`kubeconfig ${path}: cluster "${context.cluster}" does not exist`);
  const user = config.users?.find((u) => u.name === context.user)?.user ?? {};

  const [ca, { cert, key, token, tokenFile }] = await Promise.all([
    content(cluster['certificate-authority-data'], beside(path, cluster['certificate-authority']), path),
    userAccess(user, path),
  ]);
  const connection: ConnectionOptions = {
    server: cluster.server,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(cluster['tls-server-name'] ? { tlsServerName: cluster['tls-server-name'] } : {}),
    ...(cluster['insecure-skip-tls-verify'] ? { insecureSkipTlsVerify: true } : {}),
  };
  return {
    connection,
    ...(token ? { token } : tokenFile ? { tokenFile } : {}),
    ...(context.namespace ? { namespace: context.namespace } : {}),
  };
}

/** Reads what a user of the kubeconfig at `path` shows of himself. A token is preferred to a file of one. */
export async function userAccess(user: KubeconfigUser, path: string): Promise<UserAccess> {
  const [cert, key] = await Promise.all([
    content(user['client-certificate-data'], beside(path, user['client-certificate']), path),
    content(user['client-key-data'], beside(path, user['client-key']), path),
  ]);
  const tokenFile = beside(path, user.tokenFile);
  return {
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(user.token ? { token: user.token } : tokenFile ? { tokenFile } : {}),
    ...(user.username ? { basic: `${user.username}:${user.password ?? ''}` } : {}),
  };
}

/** Relative files of a kubeconfig are relative to its folder. */
const beside = (path: string, at: string | undefined): string | undefined =>
  at === undefined || at === '' || isAbsolute(at) ? at : join(dirname(path), at);

async function content(data: string | undefined, file: string | undefined, path: string): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  if (!file) return undefined;
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`kubeconfig ${path}: cannot read ${file}: ${error.code ?? error.message}`, { cause: error });
  });
}

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a pod knows about its cluster: the Service's environment variables and the mounted ServiceAccount. */
export async function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  folder = accountFolder,
): Promise<ClusterAccess> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) {
    throw new Error('not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  }
  const ca = await readFile(join(folder, 'ca.crt'));
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => '');
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { connection: { server, ca }, tokenFile: join(folder, 'token'), ...(namespace ? { namespace } : {}) };
}
