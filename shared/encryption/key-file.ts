import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A key of AES-256 and the name by which records refer to it. */
export interface EncryptionKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** The first key encrypts; all of them decrypt. */
export type EncryptionKeys = readonly [EncryptionKey, ...EncryptionKey[]];

/** What the API server encrypts at rest, and with what. */
export interface EncryptionConfig {
  readonly keys: EncryptionKeys;
  /** What is encrypted, as RESOURCE or RESOURCE.GROUP. */
  readonly resources: readonly string[];
  /** Records of these resources that are not encrypted yet are read too; otherwise they count as tampered with. */
  readonly identity: boolean;
  /** Id of the key to which a rotation under way leads. */
  readonly rotation: string | undefined;
}

interface KeyFile {
  readonly keys: readonly { readonly id: string; readonly secret: string }[];
  readonly resources?: readonly string[];
  readonly identity?: boolean;
  readonly rotation?: string;
}

/** Where nothing else was chosen. */
const defaultResources: readonly string[] = ['secrets'];
const resourceName = /^[a-z0-9]+(\.[a-z0-9][a-z0-9.-]*)?$/;

/** Reads the key file; makes one with a fresh key, readable by its owner only, when there is none. */
export function loadOrCreateConfig(path: string): EncryptionConfig {
  try {
    return readConfig(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const config: EncryptionConfig = {
    keys: [newKey([])],
    resources: defaultResources,
    identity: false,
    rotation: undefined,
  };
  writeConfig(path, config);
  return config;
}

/** Throws ENOENT, or an error that says what is wrong with the file and nothing of what is in it. */
export function readConfig(path: string): EncryptionConfig {
  return parseConfig(path, readFileSync(path, 'utf8'));
}

/** A fresh key, with an id that none of `former` has. */
export function newKey(former: readonly EncryptionKey[]): EncryptionKey {
  const highest = Math.max(0, ...former.map((key) => Number(/^key-(\d+)$/.exec(key.id)?.[1] ?? 0)));
  return { id: `key-${highest + 1}`, secret: randomBytes(32) };
}

/** By which the two ends of a file tell whether they mean the same content. It gives nothing away: the keys are random. */
export function hashOfConfig(config: EncryptionConfig): string {
  return `sha256:${createHash('sha256').update(textOf(config)).digest('hex')}`;
}

function parseConfig(path: string, text: string): EncryptionConfig {
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Error(
      `${path} can be read by others than its owner: chmod 600 ${path}, and rotate the key if others had access`,
    );
  let file: KeyFile;
  try {
    file = JSON.parse(text) as KeyFile;
  } catch (error) {
    // The parser's message would quote the secret.
    throw new Error(`${path} is not JSON`, { cause: (error as Error).name });
  }
  const keys = parseKeys(path, file);
  const { resources = defaultResources, identity = false, rotation } = file;
  if (!Array.isArray(resources) || !resources.every((one) => resourceName.test(String(one))))
    throw new Error(`${path}: "resources" is not a list of names such as "secrets" or "deployments.apps"`);
  if (typeof identity !== 'boolean') throw new Error(`${path}: "identity" is neither true nor false`);
  if (rotation !== undefined && !keys.some(({ id }) => id === rotation))
    throw new Error(`${path}: "rotation" names no key`);
  return { keys, resources, identity, rotation };
}

function parseKeys(path: string, file: KeyFile): EncryptionKeys {
  if (!Array.isArray(file?.keys)) throw new Error(`${path} has no list "keys"`);
  const keys = file.keys.map((entry, i) => {
    const secret = Buffer.from(String(entry?.secret ?? ''), 'base64');
    if (secret.length !== 32) throw new Error(`${path}: keys[${i}].secret is not 32 bytes in base64`);
    if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(String(entry.id))) throw new Error(`${path}: keys[${i}].id is not a name`);
    return { id: entry.id, secret };
  });
  const [first, ...rest] = keys;
  if (!first) throw new Error(`${path} holds no key`);
  if (new Set(keys.map((key) => key.id)).size !== keys.length) throw new Error(`${path} has two keys of one id`);
  return [first, ...rest];
}

function textOf({ keys, resources, identity, rotation }: EncryptionConfig): string {
  const file: KeyFile = {
    keys: keys.map(({ id, secret }) => ({ id, secret: secret.toString('base64') })),
    resources,
    ...(identity ? { identity } : {}),
    ...(rotation === undefined ? {} : { rotation }),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Whole or not at all, and on disk before a record refers to the key: a lost key is lost data. */
export function writeConfig(path: string, config: EncryptionConfig): void {
  const temporary = `${path}.${process.pid}`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, textOf(config));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}
