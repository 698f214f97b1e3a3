import type { EncryptionKey, EncryptionKeys } from '../../shared/encryption/key-file.js';
import { SealedCensus, type SealedCount } from './sealed-census.js';
import { keyIdOf, seal, UnknownKeyError, unseal } from './sealed-record.js';
import {
  StorageCompactedError,
  StorageConflictError,
  type ListPage,
  type Storage,
  type StorageEvent,
  type StorageHealth,
  type StoredValue,
  type WatchOptions,
} from './storage.js';
import type { StorageListener } from './watchers.js';

/** What is encrypted, and with what. */
export interface EncryptionRules {
  readonly keys: EncryptionKeys;
  /** What is encrypted: values of keys below these. Default: Secrets. */
  readonly prefixes?: readonly string[];
  /** Values below the prefixes that are not encrypted yet are read too. */
  readonly acceptsPlain?: boolean;
}

const defaultPrefixes: readonly string[] = ['/registry/core/secrets/'];

/** Encrypts the values below some prefixes on their way to another store. */
export class EncryptedStorage implements Storage {
  readonly #inner: Storage;
  readonly #census = new SealedCensus();
  #key: EncryptionKey;
  #byId: ReadonlyMap<string, EncryptionKey>;
  #prefixes: readonly string[];
  #acceptsPlain: boolean;

  constructor(inner: Storage, rules: EncryptionRules) {
    this.#inner = inner;
    this.#key = rules.keys[0];
    this.#byId = new Map(rules.keys.map((key) => [key.id, key]));
    this.#prefixes = rules.prefixes ?? defaultPrefixes;
    this.#acceptsPlain = rules.acceptsPlain ?? false;
  }

  /**
   * Takes other rules, from the next write on. Refuses them when they lack a key that a current record needs; resolves when it is known of
   * each record that they concern how it is kept.
   */
  async useRules(rules: EncryptionRules): Promise<void> {
    const ids = new Set(rules.keys.map(({ id }) => id));
    await this.takeCensus();
    const missing = this.counts().find(({ keyId }) => keyId !== undefined && !ids.has(keyId));
    if (missing)
      throw new Error(
        `the key ${JSON.stringify(missing.keyId)} is missing: ${missing.count} records of ${missing.prefix} need it`,
      );
    this.#key = rules.keys[0];
    this.#byId = new Map(rules.keys.map((key) => [key.id, key]));
    this.#prefixes = rules.prefixes ?? defaultPrefixes;
    this.#acceptsPlain = rules.acceptsPlain ?? false;
    await this.takeCensus();
  }

  /** Looks at each record that is to be encrypted, or is: afterwards {@link counts} is complete. */
  async takeCensus(): Promise<void> {
    await this.#census.during(async () => {
      const prefixes = new Set([...this.#prefixes, ...this.counts().map(({ prefix }) => prefix)]);
      for (const prefix of prefixes) {
        for (let startAfter: string | undefined = prefix; startAfter !== undefined;) {
          const page: ListPage = await this.#inner.list(prefix, { limit: 100, startAfter });
          for (const { key, revision, value } of page.items) this.#census.note(key, revision, keyIdOf(value));
          startAfter = page.nextKey;
        }
      }
    });
  }

  /** How the current records are kept, as far as they are or were to be encrypted. */
  counts(): readonly SealedCount[] {
    return this.#census.counts((key) => collectionOf(key));
  }

  /** Whether a write would keep records of `prefix` differently now. */
  isStaleCount({ prefix, keyId }: SealedCount): boolean {
    return keyId !== (this.#isEncrypted(prefix) ? this.#key.id : undefined);
  }

  isStale(key: string): boolean {
    const known = this.#census.get(key);
    return known !== undefined && this.isStaleCount({ prefix: key, keyId: known.keyId, count: 1 });
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
    const stored = await this.#inner.getAt(key, revision);
    return this.#past(() => this.#open(stored));
  }

  async list(prefix: string, options?: { limit?: number; startAfter?: string; revision?: number }): Promise<ListPage> {
    const page = await this.#inner.list(prefix, options);
    const open = (): ListPage => ({ ...page, items: page.items.map((item) => this.#openValue(item)) });
    return options?.revision === undefined ? open() : this.#past(open);
  }

  async put(key: string, encode: (revision: number) => Buffer, expectedRevision: number): Promise<StoredValue> {
    const isEncrypted = this.#isEncrypted(key);
    let value: Buffer | undefined;
    const encrypt = (revision: number): Buffer => seal(key, (value = encode(revision)), this.#key);
    let stored: StoredValue;
    try {
      stored = await this.#inner.put(key, isEncrypted ? encrypt : encode, expectedRevision);
    } catch (error) {
      throw this.#asOpened(error);
    }
    if (isEncrypted || this.#census.get(key))
      this.#census.note(key, stored.revision, isEncrypted ? keyIdOf(stored.value) : undefined);
    return value ? { ...stored, value } : stored;
  }

  async delete(
    key: string,
    expectedRevision: number,
    last?: (revision: number) => Buffer,
  ): Promise<{ revision: number }> {
    const encrypt =
      last && this.#isEncrypted(key) ? (revision: number): Buffer => seal(key, last(revision), this.#key) : last;
    let deleted: { revision: number };
    try {
      deleted = await this.#inner.delete(key, expectedRevision, encrypt);
    } catch (error) {
      throw this.#asOpened(error);
    }
    if (this.#census.get(key)) this.#census.noteDelete(key, deleted.revision);
    return deleted;
  }

  async watch(
    prefix: string,
    startRevision: number,
    listener: StorageListener,
    options?: WatchOptions,
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
    throw this.#asPast(failure);
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

  #isEncrypted(key: string): boolean {
    return this.#prefixes.some((prefix) => key.startsWith(prefix));
  }

  #open(stored: StoredValue | undefined): StoredValue | undefined {
    return stored && this.#openValue(stored);
  }

  #openValue(stored: StoredValue): StoredValue {
    const value = this.#decrypt(stored.key, stored.value);
    return value === stored.value ? stored : { ...stored, value };
  }

  #openEvent(event: StorageEvent): StorageEvent {
    const { key, previous } = event;
    const value = this.#decrypt(key, event.value);
    if (!previous) return value === event.value ? event : { ...event, value };
    return { ...event, value, previous: { ...previous, value: this.#decrypt(key, previous.value) } };
  }

  /** A record whose key was removed since is as gone as one that was compacted. */
  #past<T>(open: () => T): T {
    try {
      return open();
    } catch (error) {
      throw this.#asPast(error);
    }
  }

  #asPast(error: unknown): unknown {
    return error instanceof UnknownKeyError ? new StorageCompactedError(this.#inner.revision) : error;
  }

  /** A conflict tells what is there: decrypted, as any other read. */
  #asOpened(error: unknown): unknown {
    if (!(error instanceof StorageConflictError) || !error.current) return error;
    return new StorageConflictError(error.current.key, this.#openValue(error.current));
  }

  #decrypt(key: string, value: Buffer): Buffer {
    if (keyIdOf(value) !== undefined || (this.#isEncrypted(key) && !this.#acceptsPlain))
      return unseal(key, value, this.#byId);
    return value;
  }
}

/** `/registry/GROUP/RESOURCE/`: the first three segments. */
const collectionOf = (key: string): string => key.split('/', 4).join('/') + '/';
