import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** A file or folder, whatever it is called at the moment. */
export interface Inode {
  readonly number: number;
  readonly isFolder: boolean;
}

/** What a process did to a folder, in the order in which it was done. */
export type DiskOperation = { readonly atSeconds: number } & (
  | { readonly type: 'create'; readonly path: string; readonly inode: Inode }
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly type: 'unlink'; readonly path: string }
  | { readonly type: 'write'; readonly inode: Inode; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly inode: Inode; readonly size: number }
  /** Covers what came before the operation of number `began`. */
  | { readonly type: 'sync'; readonly inode: Inode; readonly began: number }
  /** What it said on standard output. */
  | { readonly type: 'said'; readonly text: string }
);

const syscalls =
  'open,openat,creat,close,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,sync_file_range,rename,' +
  'renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,ftruncate,truncate,fallocate,link,linkat,dup,dup2,dup3';

/** The command that records to `file` what the command after it does. */
export function traceCommand(file: string): readonly string[] {
  const form = ['-f', '-qq', '-ttt', '-xx', '-s', '100000000', '--seccomp-bpf', '--signal=none'];
  // A ring of requests shared with the kernel could not be seen.
  return ['env', 'UV_USE_IO_URING=0', 'strace', ...form, '-o', file, '-e', `trace=${syscalls}`];
}

/** Reads what {@link traceCommand} recorded, as far as it is about `folder`, which was empty then. */
export async function readTrace(file: string, folder: string): Promise<readonly DiskOperation[]> {
  const reader = new TraceReader(folder);
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) reader.read(line);
  return reader.operations;
}

/** Gives a file, or a folder with all that is in it, another name. */
export function renameIn(names: Map<string, Inode>, from: string, to: string): void {
  const moved = [...names].filter(([path]) => path === from || path.startsWith(`${from}/`));
  for (const [path, inode] of moved) {
    names.delete(path);
    names.set(to + path.slice(from.length), inode);
  }
}

interface OpenFile {
  readonly inode: Inode;
  position: number;
}

interface Call {
  readonly name: string;
  readonly args: string;
  readonly atSeconds: number;
  /** Number of operations there were when it began. */
  readonly began: number;
}

class TraceReader {
  readonly operations: DiskOperation[] = [];
  readonly #folder: string;
  readonly #names = new Map<string, Inode>();
  readonly #open = new Map<number, OpenFile>();
  /** By thread: calls that have begun and not returned. */
  readonly #unfinished = new Map<string, Call>();
  #inodes = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#names.set(folder, this.#newInode(true));
  }

  read(line: string): void {
    const parts = /^(\d+) +(\d+\.\d+) (.*)$/s.exec(line);
    if (!parts) return;
    const [, thread = '', stamp = '', text = ''] = parts;
    const resumed = /^<\.\.\. (\w+) resumed>/.exec(text);
    if (resumed) {
      const call = this.#unfinished.get(thread);
      this.#unfinished.delete(thread);
      if (call) this.#returned({ ...call, args: call.args + text.slice(resumed[0].length) });
      return;
    }
    const open = text.indexOf('(');
    if (open < 0) return;
    const call = { name: text.slice(0, open), atSeconds: Number(stamp), began: this.operations.length };
    const end = text.lastIndexOf(' <unfinished ...>');
    if (end > 0) this.#unfinished.set(thread, { ...call, args: text.slice(open + 1, end) });
    else this.#returned({ ...call, args: text.slice(open + 1) });
  }

  #returned(call: Call): void {
    const equals = call.args.lastIndexOf(') ');
    const result = Number(/= (-?\d+)/.exec(call.args.slice(equals))?.[1] ?? -1);
    if (equals < 0 || result < 0) return;
    this.#note(call, call.args.slice(0, equals), result);
  }

  #note(call: Call, args: string, result: number): void {
    const { name, atSeconds, began } = call;
    const file = this.#open.get(Number.parseInt(args, 10));
    switch (name) {
      case 'open':
      case 'openat':
      case 'creat':
        return this.#opened(atSeconds, args, result);
      case 'close':
        this.#open.delete(Number(args));
        return;
      case 'write':
        if (args.startsWith('1, ')) {
          this.operations.push({ type: 'said', text: stringsOf(args)[0]?.toString() ?? '', atSeconds });
        } else if (file) {
          this.#wrote(atSeconds, file.inode, file.position, args, result);
          file.position += result;
        }
        return;
      case 'pwrite64':
        if (file) this.#wrote(atSeconds, file.inode, lastNumber(args), args, result);
        return;
      case 'lseek':
        if (file) file.position = result;
        return;
      case 'fsync':
      case 'fdatasync':
        if (file) this.operations.push({ type: 'sync', inode: file.inode, began, atSeconds });
        return;
      case 'ftruncate':
        if (file) this.operations.push({ type: 'truncate', inode: file.inode, size: lastNumber(args), atSeconds });
        return;
      case 'mkdir':
      case 'mkdirat':
        return this.#created(atSeconds, pathsOf(args)[0] ?? '', true);
      case 'rename':
      case 'renameat':
      case 'renameat2':
        return this.#renamed(atSeconds, ...pathsOf(args));
      case 'unlink':
      case 'unlinkat':
        return this.#unlinked(atSeconds, pathsOf(args)[0] ?? '');
      default:
        assert.ok(!file && !args.includes(hex(this.#folder)), `${name} is not understood by this replay`);
    }
  }

  #opened(atSeconds: number, args: string, fd: number): void {
    const path = pathsOf(args)[0] ?? '';
    if (!this.#isInside(path)) return;
    if (!this.#names.has(path)) {
      if (!args.includes('O_CREAT')) return;
      this.#created(atSeconds, path, false);
    } else if (args.includes('O_TRUNC')) {
      this.operations.push({ type: 'truncate', inode: this.#inodeOf(path), size: 0, atSeconds });
    }
    assert.ok(!args.includes('O_APPEND'), `${path} is opened for appending, which this replay does not know`);
    this.#open.set(fd, { inode: this.#inodeOf(path), position: 0 });
  }

  #wrote(atSeconds: number, inode: Inode, offset: number, args: string, length: number): void {
    const bytes = stringsOf(args)[0]?.subarray(0, length) ?? Buffer.alloc(0);
    assert.equal(bytes.length, length, 'the trace holds all that was written');
    this.operations.push({ type: 'write', inode, offset, bytes, atSeconds });
  }

  #created(atSeconds: number, path: string, isFolder: boolean): void {
    if (!this.#isInside(path)) return;
    const inode = this.#newInode(isFolder);
    this.#names.set(path, inode);
    this.operations.push({ type: 'create', path, inode, atSeconds });
  }

  #renamed(atSeconds: number, from = '', to = ''): void {
    if (!this.#isInside(from)) return;
    const inode = this.#inodeOf(from);
    renameIn(this.#names, from, to);
    this.operations.push({ type: 'rename', from, to, inode, atSeconds });
  }

  #unlinked(atSeconds: number, path: string): void {
    // Sockets are made by a call that is not recorded, and mean nothing after a power loss.
    if (this.#names.delete(path)) this.operations.push({ type: 'unlink', path, atSeconds });
  }

  #isInside(path: string): boolean {
    return path.startsWith(`${this.#folder}/`);
  }

  #inodeOf(path: string): Inode {
    return this.#names.get(path) ?? assert.fail(`${path} is not known`);
  }

  #newInode(isFolder: boolean): Inode {
    return { number: this.#inodes++, isFolder };
  }
}

const hex = (text: string): string => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16)}`).join('');

/** The strings among the arguments of a call. */
function stringsOf(args: string): Buffer[] {
  const found: Buffer[] = [];
  for (let from = args.indexOf('"'); from >= 0;) {
    const to = args.indexOf('"', from + 1);
    found.push(Buffer.from(args.slice(from + 1, to).replaceAll('\\x', ''), 'hex'));
    from = args.indexOf('"', to + 1);
  }
  return found;
}

const pathsOf = (args: string): string[] => stringsOf(args).map((bytes) => bytes.toString());
const lastNumber = (args: string): number => Number(args.slice(args.lastIndexOf(',') + 1));
