import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { renameIn, type DiskOperation, type Inode } from './disk-trace.js';

/**
 * What became of what no sync had covered when the power went:
 * nothing of it is there, all of it, a part with the write after it torn, or a part with zeros where the next write should be.
 */
export type UnsyncedFate = 'lost' | 'kept' | 'torn' | 'zeroed';

type DataOperation = Extract<DiskOperation, { type: 'write' | 'truncate' }>;
type NameOperation = Extract<DiskOperation, { type: 'create' | 'rename' | 'unlink' }>;

interface FileHistory {
  readonly operations: { readonly at: number; readonly operation: DataOperation }[];
  /** So many of the operations are on disk for sure. */
  durable: number;
}

/**
 * Makes `target` the folder `source` as the disk has it when the power goes after the first `cut` operations.
 *
 * The rules are those of a journalling file system (ext4, xfs, btrfs): the sync of a file covers its bytes and its name; changes of names
 * reach the disk in their order; the sync of a folder covers all of them before it.
 */
export function rebuild(
  operations: readonly DiskOperation[],
  cut: number,
  fate: UnsyncedFate,
  places: { readonly source: string; readonly target: string },
  random: () => number,
): void {
  const files = new Map<Inode, FileHistory>();
  const names: { at: number; operation: NameOperation }[] = [];
  let durableNames = 0;
  for (let at = 0; at < cut; at++) {
    const operation = operations[at];
    if (!operation) break;
    if (operation.type === 'write' || operation.type === 'truncate') {
      historyOf(files, operation.inode).operations.push({ at, operation });
    } else if (operation.type === 'sync') {
      const { inode, began } = operation;
      const file = historyOf(files, inode);
      file.durable = Math.max(file.durable, file.operations.filter((one) => one.at < began).length);
      const last = names.findLastIndex(
        (one) => one.at < began && (inode.isFolder || ('inode' in one.operation && one.operation.inode === inode)),
      );
      durableNames = Math.max(durableNames, last + 1);
    } else if (operation.type !== 'said') {
      names.push({ at, operation });
    }
  }
  const keptNames = durableNames + some(names.length - durableNames, fate, random);
  const tree = namesAfter(names.slice(0, keptNames).map(({ operation }) => operation));
  rmSync(places.target, { recursive: true, force: true });
  mkdirSync(places.target, { recursive: true });
  for (const [path, inode] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const place = places.target + path.slice(places.source.length);
    if (inode.isFolder) mkdirSync(place);
    else writeFileSync(place, contentOf(historyOf(files, inode), fate, random), { mode: 0o600 });
  }
}

function historyOf(files: Map<Inode, FileHistory>, inode: Inode): FileHistory {
  let file = files.get(inode);
  if (!file) files.set(inode, (file = { operations: [], durable: 0 }));
  return file;
}

/** How many of `count` things that no sync covered are there. */
function some(count: number, fate: UnsyncedFate, random: () => number): number {
  if (fate === 'lost') return 0;
  return fate === 'kept' ? count : Math.floor(random() * (count + 1));
}

function namesAfter(operations: readonly NameOperation[]): Map<string, Inode> {
  const tree = new Map<string, Inode>();
  for (const operation of operations) {
    if (operation.type === 'create') tree.set(operation.path, operation.inode);
    else if (operation.type === 'unlink') tree.delete(operation.path);
    else renameIn(tree, operation.from, operation.to);
  }
  return tree;
}

function contentOf({ operations, durable }: FileHistory, fate: UnsyncedFate, random: () => number): Buffer {
  const kept = durable + some(operations.length - durable, fate, random);
  const done = operations.slice(0, kept).map(({ operation }) => operation);
  const next = operations[kept]?.operation;
  if (next?.type === 'write' && (fate === 'torn' || fate === 'zeroed')) {
    const whole = Math.floor(random() * next.bytes.length);
    const bytes = fate === 'torn' ? next.bytes.subarray(0, whole) : zeroedFrom(next.bytes, whole);
    done.push({ ...next, bytes });
  }
  return contentAfter(done);
}

function zeroedFrom(bytes: Buffer, from: number): Buffer {
  return Buffer.concat([bytes.subarray(0, from), Buffer.alloc(bytes.length - from)]);
}

function contentAfter(operations: readonly DataOperation[]): Buffer {
  let content = Buffer.alloc(0);
  let size = 0;
  for (const operation of operations) {
    const end = operation.type === 'write' ? operation.offset + operation.bytes.length : operation.size;
    if (end > content.length) content = Buffer.concat([content, Buffer.alloc(Math.max(end, 2 * content.length))]);
    if (operation.type === 'write') operation.bytes.copy(content, operation.offset);
    else content.fill(0, operation.size);
    size = operation.type === 'write' ? Math.max(size, end) : operation.size;
  }
  return content.subarray(0, size);
}
