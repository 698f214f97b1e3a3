/** How many current records of one resource are kept in one way. */
export interface SealedCount {
  /** Collection, such as `/registry/core/secrets/`. */
  readonly prefix: string;
  /** Undefined: not encrypted. */
  readonly keyId: string | undefined;
  readonly count: number;
}

interface Entry {
  readonly revision: number;
  readonly keyId: string | undefined;
  readonly isDeleted: boolean;
}

/** Which key each current record is encrypted with: told by the writes, and by reading all of them once. */
export class SealedCensus {
  readonly #entries = new Map<string, Entry>();
  #scans = 0;

  /** Older news than what is known is no news. */
  note(key: string, revision: number, keyId: string | undefined): void {
    if ((this.#entries.get(key)?.revision ?? -1) <= revision)
      this.#entries.set(key, { revision, keyId, isDeleted: false });
  }

  get(key: string): { readonly keyId: string | undefined } | undefined {
    const entry = this.#entries.get(key);
    return entry?.isDeleted ? undefined : entry;
  }

  noteDelete(key: string, revision: number): void {
    // While records are being read, a page that was read before the delete may still come.
    if (this.#scans === 0) this.#entries.delete(key);
    else this.#entries.set(key, { revision, keyId: undefined, isDeleted: true });
  }

  /** Runs what reads records and notes them. */
  async during(scan: () => Promise<void>): Promise<void> {
    this.#scans++;
    try {
      await scan();
    } finally {
      this.#scans--;
      if (this.#scans === 0) for (const [key, { isDeleted }] of this.#entries) if (isDeleted) this.#entries.delete(key);
    }
  }

  counts(prefixOf: (key: string) => string): SealedCount[] {
    const found = new Map<string, SealedCount>();
    for (const [key, { keyId, isDeleted }] of this.#entries) {
      if (isDeleted) continue;
      const prefix = prefixOf(key);
      const name = `${prefix} ${keyId ?? ''}`;
      found.set(name, { prefix, keyId, count: (found.get(name)?.count ?? 0) + 1 });
    }
    return [...found.values()];
  }
}
