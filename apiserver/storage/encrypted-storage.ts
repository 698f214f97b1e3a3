import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey, EncryptionKeys } from './encryption-keys.js';
import {
  StorageConflictError,
  type ListPage,
  type Storage,
  type StorageEvent,
  type StorageHealth,
  type StoredValue,
} from './storage.js';
import type { StorageListener } from './watchers.js';

/** A record that should be encrypted cannot be decrypted: unknown key, tampered bytes, or not encrypted at all. */
export class StorageEncryptionError extends Error {
  override readonly name = 'StorageEncryptionError';
}

export interface EncryptedStorageOptions {
  readonly keys: EncryptionKeys;
  /** What is encrypted: values of keys below these. Default: Secrets. */
  readonly prefixes?: readonly string[];
}

/*
 *   | "knarr:aes256gcm:1:" | idLength | key id | nonce 12 | tag 16 | ciphertext |
 *   Additional data: all before the nonce, and the record's key, so that a record works in its own place only.
 */
const magic = Buffer.from('knarr:aes256gcm:1:');
const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts the values below some prefixes on their way to another store. */
export class EncryptedStorage implements Storage {
  readonly #inner: Storage;
  readonly #keys: EncryptionKeys;
  readonly #byId: ReadonlyMap<string, EncryptionKey>;
  readonly #prefixes: readonly string[];

  constructor(inner: Storage, options: EncryptedStorageOptions) {
    this.#inner = inner;
    this.#keys = options.keys;
    this.#byId = new Map(options.keys.map((key) => [key.id, key]));
    this.#prefixes = options.prefixes ?? ['/registry/core/secrets/'];
  }

  get revision(): number {
    return this.#inner.revision;
  }

  get compactedRevision(): number {
    return this.#inner.compactedRevision;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#open(await this.#inner.get(key));
  }

  async getAt(key: string, revision: number): Promise<StoredValue | undefined> {
    return this.#open(await this.#inner.getAt(key, revision));
  }

  async list(prefix: string, options?: { limit?: number; startAfter?: string; revision?: number }): Promise<ListPage> {
    const page = await this.#inner.list(prefix, options);
    return { ...page, items: page.items.map((item) => this.#openValue(item)) };
  }

  async put(key: string, encode: (revision: number) => Buffer, expectedRevision: number): Promise<StoredValue> {
    if (!this.#isEncrypted(key)) return this.#inner.put(key, encode, expectedRevision);
    let value: Buffer = Buffer.alloc(0);
    const seal = (revision: number): Buffer => this.#encrypt(key, (value = encode(revision)));
    const stored = await this.#withOpenConflict(() => this.#inner.put(key, seal, expectedRevision));
    return { ...stored, value };
  }

  async delete(
    key: string,
    expectedRevision: number,
    last?: (revision: number) => Buffer,
  ): Promise<{ revision: number }> {
    if (!this.#isEncrypted(key)) return this.#inner.delete(key, expectedRevision, last);
    const seal = last && ((revision: number): Buffer => this.#encrypt(key, last(revision)));
    return this.#withOpenConflict(() => this.#inner.delete(key, expectedRevision, seal));
  }

  async watch(
    prefix: string,
    startRevision: number,
    listener: StorageListener,
    options?: { signal?: AbortSignal },
  ): Promise<() => void> {
    let failure: unknown;
    let isLive = false;
    const open = (events: readonly StorageEvent[]): void => {
      if (failure !== undefined) return;
      let opened: readonly StorageEvent[];
      try {
        opened = events.map((event) => this.#openEvent(event));
      } catch (error) {
        failure = error;
        // While history is read there is a promise to reject; later only the end of the process is honest.
        if (isLive) throw error;
        return;
      }
      listener(opened);
    };
    const end = await this.#inner.watch(prefix, startRevision, open, options);
    isLive = true;
    if (failure === undefined) return end;
    end();
    throw failure;
  }

  /**
   * Writes everything that an older key has encrypted again with the first one; afterwards that key is needed only for history not yet
   * compacted. `restamp` puts the new revision into the bytes. Returns how many were written; one that
   * somebody else writes meanwhile is left to him.
   */
  async reencrypt(restamp: (value: Buffer, revision: number) => Buffer): Promise<number> {
    let written = 0;
    for (const prefix of this.#prefixes) {
      for (let startAfter: string | undefined = prefix; startAfter !== undefined;) {
        const page: ListPage = await this.#inner.list(prefix, { limit: 100, startAfter });
        for (const item of page.items) if (await this.#renew(item, restamp)) written++;
        startAfter = page.nextKey;
      }
    }
    return written;
  }

  compact(revision: number): Promise<void> {
    return this.#inner.compact(revision);
  }

  health(): StorageHealth {
    return this.#inner.health();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #renew(item: StoredValue, restamp: (value: Buffer, revision: number) => Buffer): Promise<boolean> {
    const { key, value } = this.#openValue(item);
    if (keyIdOf(item.value) === this.#keys[0].id) return false;
    try {
      await this.put(key, (revision) => restamp(value, revision), item.revision);
      return true;
    } catch (error) {
      if (error instanceof StorageConflictError) return false;
      throw error;
    }
  }

  #isEncrypted(key: string): boolean {
    return this.#prefixes.some((prefix) => key.startsWith(prefix));
  }

  #open(stored: StoredValue | undefined): StoredValue | undefined {
    return stored && this.#openValue(stored);
  }

  #openValue(stored: StoredValue): StoredValue {
    return this.#isEncrypted(stored.key) ? { ...stored, value: this.#decrypt(stored.key, stored.value) } : stored;
  }

  #openEvent(event: StorageEvent): StorageEvent {
    const { key, previous } = event;
    if (!this.#isEncrypted(key)) return event;
    const value = this.#decrypt(key, event.value);
    if (!previous) return { ...event, value };
    return { ...event, value, previous: { ...previous, value: this.#decrypt(key, previous.value) } };
  }

  async #withOpenConflict<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StorageConflictError) || !error.current) throw error;
      throw new StorageConflictError(error.current.key, this.#openValue(error.current));
    }
  }

  #encrypt(key: string, plain: Buffer): Buffer {
    const [{ id, secret }] = this.#keys;
    const header = Buffer.concat([magic, Buffer.from([id.length]), Buffer.from(id)]);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', secret, nonce);
    cipher.setAAD(Buffer.concat([header, Buffer.from(key)]));
    const text = cipher.update(plain);
    cipher.final();
    return Buffer.concat([header, nonce, cipher.getAuthTag(), text]);
  }

  #decrypt(key: string, sealed: Buffer): Buffer {
    const id = keyIdOf(sealed);
    if (id === undefined) throw new StorageEncryptionError(`${key} is not encrypted, though it must be`);
    const found = this.#byId.get(id);
    if (!found)
      throw new StorageEncryptionError(
        `${key} is encrypted with the key ${JSON.stringify(id)}, which the key file lacks`,
      );
    const headerEnd = magic.length + 1 + id.length;
    const nonceEnd = headerEnd + nonceBytes;
    const tagEnd = nonceEnd + tagBytes;
    try {
      const nonce = sealed.subarray(headerEnd, nonceEnd);
      const decipher = createDecipheriv('aes-256-gcm', found.secret, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.concat([sealed.subarray(0, headerEnd), Buffer.from(key)]));
      decipher.setAuthTag(sealed.subarray(nonceEnd, tagEnd));
      return Buffer.concat([decipher.update(sealed.subarray(tagEnd)), decipher.final()]);
    } catch (error) {
      throw new StorageEncryptionError(
        `${key} cannot be decrypted with the key ${JSON.stringify(id)}: it is not that key, or the record was tampered with`,
        { cause: error },
      );
    }
  }
}

function keyIdOf(sealed: Buffer): string | undefined {
  if (!sealed.subarray(0, magic.length).equals(magic)) return undefined;
  const length = sealed[magic.length] ?? 0;
  return sealed.toString('utf8', magic.length + 1, magic.length + 1 + length);
}
