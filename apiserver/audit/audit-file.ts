import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../../shared/clock/clock.js';
import type { AuditSink } from './audit-log.js';

export interface AuditFileOptions {
  readonly path: string;
  /** A file that has grown beyond this is put aside; 0: never. */
  readonly maxSizeBytes: number;
  /** So many old files are kept; 0: all. */
  readonly maxBackups: number;
  /** Old files are removed after this time; 0: never. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
}

/** A file of events that only its owner can read. Old ones stand beside it as NAME-TIME.EXT, as in the original. */
export class AuditFile implements AuditSink {
  readonly #options: AuditFileOptions;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  async write(lines: readonly Buffer[]): Promise<void> {
    const bytes = Buffer.concat(lines);
    const { maxSizeBytes } = this.#options;
    const file = await this.#open();
    if (maxSizeBytes > 0 && this.#size > 0 && this.#size + bytes.length > maxSizeBytes) {
      await this.#rotate(file);
      return this.write(lines);
    }
    await file.appendFile(bytes);
    this.#size += bytes.length;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    if (this.#file) return this.#file;
    this.#file = await open(this.#options.path, 'a', 0o600);
    this.#size = (await this.#file.stat()).size;
    return this.#file;
  }

  async #rotate(file: FileHandle): Promise<void> {
    const { path, clock } = this.#options;
    this.#file = undefined;
    await file.close();
    const extension = extname(path);
    const time = new Date(clock.now()).toISOString().replaceAll(':', '-').replace('Z', '');
    const base = path.slice(0, path.length - extension.length);
    await rename(path, `${base}-${time}${extension}`);
    await this.#prune();
  }

  async #prune(): Promise<void> {
    const { path, maxBackups, maxAgeMs, clock } = this.#options;
    const directory = dirname(path);
    const extension = extname(path);
    const prefix = `${basename(path, extension)}-`;
    const names = (await readdir(directory)).filter((name) => name.startsWith(prefix) && name.endsWith(extension));
    // Their names are their times: the newest first.
    const old = names.sort().reverse();
    for (const [i, name] of old.entries()) {
      const file = join(directory, name);
      const isTooMany = maxBackups > 0 && i >= maxBackups;
      const isTooOld = maxAgeMs > 0 && clock.now() - (await stat(file)).mtimeMs > maxAgeMs;
      if (isTooMany || isTooOld) await unlink(file);
    }
  }
}

/** `--audit-log-path -`: events go to standard output. */
export class AuditStream implements AuditSink {
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  write(lines: readonly Buffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(Buffer.concat(lines), (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
