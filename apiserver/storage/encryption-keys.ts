import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A key of AES-256 and the name by which records refer to it. */
export interface EncryptionKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** The first key encrypts; all of them decrypt. */
export type EncryptionKeys = readonly [EncryptionKey, ...EncryptionKey[]];

interface KeyFile {
  readonly keys: readonly { readonly id: string; readonly secret: string }[];
}

/** Reads the key file; makes one with a fresh key, readable by its owner only, when there is none. */
export function loadOrCreateKeys(path: string): EncryptionKeys {
  try {
    return parseKeys(path, readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const keys: EncryptionKeys = [newKey([])];
  writeKeys(path, keys);
  return keys;
}

/** Puts a fresh key in front; the older ones stay, for what they have encrypted. */
export function rotateKeys(path: string): EncryptionKeys {
  const former = parseKeys(path, readFileSync(path, 'utf8'));
  const keys: EncryptionKeys = [newKey(former), ...former];
  writeKeys(path, keys);
  return keys;
}

function newKey(former: readonly EncryptionKey[]): EncryptionKey {
  const highest = Math.max(0, ...former.map((key) => Number(/^key-(\d+)$/.exec(key.id)?.[1] ?? 0)));
  return { id: `key-${highest + 1}`, secret: randomBytes(32) };
}

function parseKeys(path: string, text: string): EncryptionKeys {
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

/** Whole or not at all, and on disk before a record refers to the key: a lost key is lost data. */
function writeKeys(path: string, keys: EncryptionKeys): void {
  const file: KeyFile = { keys: keys.map(({ id, secret }) => ({ id, secret: secret.toString('base64') })) };
  const temporary = `${path}.${process.pid}`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(file, undefined, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}
