import { Failure } from '../cluster/failure.js';
import type { AnyObject } from '../server-api.js';
import { generator, oneName, type Generator } from './generator.js';
import type { Files } from './generators.js';

interface TlsFlags {
  cert?: string;
  key?: string;
}
interface RegistryFlags {
  dockerServer?: string;
  dockerUsername?: string;
  dockerPassword?: string;
  dockerEmail?: string;
  fromFile?: string;
}

const base64 = (bytes: Buffer | string): string => Buffer.from(bytes as Buffer).toString('base64');

function readOrFail(files: Files, path: string): Buffer {
  try {
    return files.read(path);
  } catch {
    throw new Failure(`Cannot read file ${path}, open ${path}: no such file or directory`);
  }
}

function tlsSecret(words: readonly string[], { cert, key }: TlsFlags, files: Files): AnyObject {
  const name = oneName(words, 'secret tls');
  if (cert === undefined || key === undefined) throw new Failure('key and cert must be specified');
  const data = { 'tls.crt': base64(readOrFail(files, cert)), 'tls.key': base64(readOrFail(files, key)) };
  return { apiVersion: 'v1', data, kind: 'Secret', metadata: { name }, type: 'kubernetes.io/tls' };
}

function registrySecret(words: readonly string[], flags: RegistryFlags, files: Files): AnyObject {
  const name = oneName(words, 'secret docker-registry');
  const { dockerServer, dockerUsername: username, dockerPassword: password, dockerEmail: email } = flags;
  const secret = (config: string): AnyObject => ({
    apiVersion: 'v1',
    data: { '.dockerconfigjson': config },
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/dockerconfigjson',
  });
  if (flags.fromFile !== undefined) return secret(base64(files.read(flags.fromFile)));
  if (username === undefined || password === undefined || dockerServer === undefined)
    throw new Failure(
      'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
    );
  const auth = base64(`${username}:${password}`);
  const entry = { username, password, ...(email ? { email } : {}), auth };
  return secret(base64(JSON.stringify({ auths: { [dockerServer]: entry } })));
}

export const secretGenerators: readonly Generator[] = [
  generator<TlsFlags>({
    path: ['secret', 'tls'],
    description: 'a Secret with a certificate and its key',
    flags: (command) =>
      command.option('--cert <file>', 'PEM of the certificate').option('--key <file>', 'PEM of its private key'),
    object: ({ words, flags, files }) => tlsSecret(words, flags, files),
  }),
  generator<RegistryFlags>({
    path: ['secret', 'docker-registry'],
    description: 'a Secret with which images are pulled',
    flags: (command) =>
      command
        .option('--docker-server <url>', 'address of the registry')
        .option('--docker-username <name>', 'who pulls')
        .option('--docker-password <text>', 'with what password')
        .option('--docker-email <address>', 'an address')
        .option('--from-file <file>', 'a config.json of Docker'),
    object: ({ words, flags, files }) => registrySecret(words, flags, files),
  }),
];
