import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A process of this machine that cannot be taken for a later one with the same number. */
interface Owner {
  /** Within which process numbers mean something: two containers may share a folder and no processes. */
  readonly namespace: string;
  readonly pid: string;
  /** In clock ticks since the machine started; undefined when there is no such process. */
  readonly startTicks: string | undefined;
}

const maxLooks = 1_000;
const maxRemovals = 50;
const ownedName = /^(\d+)-(\d+)-(\d+)-/;

/**
 * A new folder for a test, which removes it. What a test leaves behind that was ended before its time goes when the next
 * one asks: all lie in one folder under the numbers of their processes, and those of dead processes are removed.
 */
export function testFolder(name: string, parent = join(tmpdir(), `knarr-tests-${process.getuid?.() ?? 0}`)): string {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const status = lstatSync(parent);
  // Anybody may put a link or a folder there: nothing is removed but in a folder of our own.
  if (!status.isDirectory() || status.uid !== process.getuid?.())
    throw new Error(`${parent} belongs to somebody else: remove it, or set TMPDIR`);
  const own = ownerOf(String(process.pid));
  removeAbandoned(parent, own);
  return mkdtempSync(join(parent, `${own.namespace}-${own.pid}-${own.startTicks}-${name}-`));
}

function removeAbandoned(parent: string, own: Owner): void {
  let removals = 0;
  for (const entry of readdirSync(parent, { withFileTypes: true }).slice(0, maxLooks)) {
    const [, namespace, pid = '', startTicks] = ownedName.exec(entry.name) ?? [];
    if (!entry.isDirectory() || namespace !== own.namespace || ownerOf(pid).startTicks === startTicks) continue;
    if (++removals > maxRemovals) return;
    // Another test may be removing it too.
    rmSync(join(parent, entry.name), { recursive: true, force: true });
  }
}

function ownerOf(pid: string): Owner {
  const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  return { namespace, pid, startTicks: startTicksOf(pid) };
}

function startTicksOf(pid: string): string | undefined {
  try {
    // The name of the program stands in parentheses and may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
