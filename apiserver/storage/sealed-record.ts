import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey } from '../../shared/encryption/key-file.js';

/** A record that should be encrypted cannot be decrypted: unknown key, tampered bytes, or not encrypted at all. */
export class StorageEncryptionError extends Error {
  override readonly name: string = 'StorageEncryptionError';
}

/** The key that the record names is not there: it was removed, or never was. */
export class UnknownKeyError extends StorageEncryptionError {
  override readonly name = 'UnknownKeyError';
}

/*
 *   | "knarr:aes256gcm:1:" | idLength | key id | nonce 12 | tag 16 | ciphertext |
 *   Additional data: all before the nonce, and the record's key, so that a record works in its own place only.
 *   No JSON begins like that, so a record tells by itself whether it is sealed.
 */
const magic = Buffer.from('knarr:aes256gcm:1:');
const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts the value of the record `place`. */
export function seal(place: string, plain: Buffer, { id, secret }: EncryptionKey): Buffer {
  const header = Buffer.concat([magic, Buffer.from([id.length]), Buffer.from(id)]);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce);
  cipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
  const text = cipher.update(plain);
  cipher.final();
  return Buffer.concat([header, nonce, cipher.getAuthTag(), text]);
}

/** Decrypts what {@link seal} made for this very place. */
export function unseal(place: string, sealed: Buffer, keys: ReadonlyMap<string, EncryptionKey>): Buffer {
  const id = keyIdOf(sealed);
  if (id === undefined) throw new StorageEncryptionError(`${place} is not encrypted, though it must be`);
  const found = keys.get(id);
  if (!found)
    throw new UnknownKeyError(`${place} is encrypted with the key ${JSON.stringify(id)}, which the key file lacks`);
  const headerEnd = magic.length + 1 + id.length;
  const nonceEnd = headerEnd + nonceBytes;
  const tagEnd = nonceEnd + tagBytes;
  try {
    const nonce = sealed.subarray(headerEnd, nonceEnd);
    const decipher = createDecipheriv('aes-256-gcm', found.secret, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.concat([sealed.subarray(0, headerEnd), Buffer.from(place)]));
    decipher.setAuthTag(sealed.subarray(nonceEnd, tagEnd));
    return Buffer.concat([decipher.update(sealed.subarray(tagEnd)), decipher.final()]);
  } catch (error) {
    throw new StorageEncryptionError(
      `${place} cannot be decrypted with the key ${JSON.stringify(id)}: it is not that key, or the record was tampered with`,
      { cause: error },
    );
  }
}

/** Id of the key with which a value is encrypted; undefined when it is not. */
export function keyIdOf(value: Buffer): string | undefined {
  if (!value.subarray(0, magic.length).equals(magic)) return undefined;
  const length = value[magic.length] ?? 0;
  return value.toString('utf8', magic.length + 1, magic.length + 1 + length);
}
