import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StorageLockedError } from './storage.js';

const socketName = 'owner.sock';
const ownerName = 'owner.json';

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly epoch: number;
}

/**
 * One owner at a time for a directory, whatever happens to LevelDB's own lock (it is lost when the owning process opens
 * and closes the LOCK file).
 *
 * Two parts. A listening Unix socket shows that the owner lives: the kernel closes it even on kill -9, it works across PID
 * and network namespaces, and a stopped process still answers. The file owner.json names the owner and its epoch; who finds its own
 * copy replaced or removed has lost the directory and must not write again.
 */
export class DirectoryLock {
  readonly #directory: string;
  readonly #directoryFd: number;
  readonly #server: Server | undefined;
  #ownerFd: number | undefined;

  private constructor(directory: string, directoryFd: number, server: Server | undefined) {
    this.#directory = directory;
    this.#directoryFd = directoryFd;
    this.#server = server;
  }

  /** Throws StorageLockedError when a living process holds the directory. */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const directoryFd = openSync(directory, 'r');
    // A socket's path has 107 characters at most; this one is always short.
    const socket = `/proc/self/fd/${directoryFd}/${socketName}`;
    try {
      if (await isAnswered(socket)) throw heldBy(directory);
      rmSync(join(directory, socketName), { force: true });
      return new DirectoryLock(directory, directoryFd, await listen(socket, directory));
    } catch (error) {
      closeSync(directoryFd);
      throw error;
    }
  }

  /** The highest epoch that the owner file tells of; the next owner takes a higher one. */
  lastEpoch(): number {
    return readOwner(this.#directory)?.epoch ?? 0;
  }

  /** Makes this process the owner: from here on any former one fails in {@link assertHeld}. */
  claim(epoch: number): void {
    const temporary = join(this.#directory, `${ownerName}.${process.pid}`);
    const owner: Owner = { pid: process.pid, host: hostname(), epoch };
    const fd = openSync(temporary, 'w', 0o600);
    writeSync(fd, `${JSON.stringify(owner)}\n`);
    fsyncSync(fd);
    renameSync(temporary, join(this.#directory, ownerName));
    fsyncSync(this.#directoryFd);
    if (this.#ownerFd !== undefined) closeSync(this.#ownerFd);
    this.#ownerFd = fd;
  }

  /** Throws StorageLockedError when another owner has taken the place. One fstat: cheap enough for every batch. */
  assertHeld(): void {
    if (this.#ownerFd !== undefined && fstatSync(this.#ownerFd).nlink > 0) return;
    const owner = readOwner(this.#directory);
    throw new StorageLockedError(
      owner
        ? `process ${owner.pid} on ${owner.host} has taken over ${this.#directory} (epoch ${owner.epoch}); this process no longer writes`
        : `${join(this.#directory, ownerName)} was removed; this process no longer writes`,
    );
  }

  async release(): Promise<void> {
    if (this.#ownerFd !== undefined) closeSync(this.#ownerFd);
    this.#ownerFd = undefined;
    // Node unlinks the socket through the directory's descriptor, so that one is closed last.
    if (this.#server) await new Promise((resolve) => this.#server?.close(resolve));
    closeSync(this.#directoryFd);
  }
}

/** The sentence that a second opener gets. */
export function heldBy(directory: string): StorageLockedError {
  const owner = readOwner(directory);
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process that is just starting';
  return new StorageLockedError(
    `${directory} is in use by ${who}: two API servers cannot share a store; stop that one, or give this one another --state-dir`,
  );
}

function readOwner(directory: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, ownerName), 'utf8')) as Owner;
  } catch {
    // Absent, or cut short by a power loss: the epoch in the database still counts.
    return undefined;
  }
}

function isAnswered(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

function listen(socket: string, directory: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Some shared folders know no sockets; there LevelDB's own lock has to do.
      if (['EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EINVAL'].includes(error.code ?? '')) resolve(undefined);
      else reject(error.code === 'EADDRINUSE' ? heldBy(directory) : error);
    });
    server.listen(socket, () => resolve(server));
  });
}
