import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { digestOf } from './change-record.js';

/** The last write that anybody was told of. */
export interface Acknowledged {
  readonly revision: number;
  /** Digest of that revision's record. */
  readonly chain: Buffer;
}

const fileBytes = 38;

/**
 * A witness outside LevelDB: LevelDB silently drops the tail of a damaged log, and nothing inside it can tell. Rewritten after each synced batch
 * without a sync of its own: it survives kill -9, and after a power loss it is older than the store at worst.
 */
export class AcknowledgedFile {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(fileBytes);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static open(path: string): AcknowledgedFile {
    try {
      return new AcknowledgedFile(openSync(path, 'r+'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return new AcknowledgedFile(openSync(path, 'wx+', 0o600));
    }
  }

  /** Undefined when there is none, or when a power loss left rubbish. */
  read(): Acknowledged | undefined {
    const bytes = Buffer.alloc(fileBytes);
    if (readSync(this.#fd, bytes, 0, fileBytes, 0) !== fileBytes) return undefined;
    if (!digestOf(bytes.subarray(16)).equals(bytes.subarray(0, 16))) return undefined;
    return { revision: bytes.readUIntBE(16, 6), chain: bytes.subarray(22) };
  }

  write(acknowledged: Acknowledged): void {
    const bytes = this.#bytes;
    bytes.writeUIntBE(acknowledged.revision, 16, 6);
    acknowledged.chain.copy(bytes, 22);
    digestOf(bytes.subarray(16)).copy(bytes);
    writeSync(this.#fd, bytes, 0, fileBytes, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
