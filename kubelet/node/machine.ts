import { readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, release, totalmem } from 'node:os';

/** What the kubelet tells of the machine it runs on. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  /** Whether its kernel confines by AppArmor; decided when it boots. */
  readonly hasAppArmor: boolean;
}

/** What is still free, for the pressure conditions. */
export interface MachinePressure {
  readonly availableMemoryBytes: number;
  readonly availableDiskBytes: number;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export async function readMachine(rootDirectory: string): Promise<Machine> {
  const [machineId, bootId, uuid, osRelease, appArmor, disk] = await Promise.all([
    readLine('/etc/machine-id'),
    readLine('/proc/sys/kernel/random/boot_id'),
    readLine('/sys/class/dmi/id/product_uuid'),
    readLine('/etc/os-release'),
    readLine('/sys/module/apparmor/parameters/enabled'),
    statfs(rootDirectory),
  ]);
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    architecture: architectures[arch()] ?? arch(),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    machineId,
    systemUuid: uuid || machineId,
    bootId,
    hasAppArmor: appArmor.startsWith('Y'),
  };
}

export async function readPressure(rootDirectory: string): Promise<MachinePressure> {
  const [meminfo, disk] = await Promise.all([readLine('/proc/meminfo'), statfs(rootDirectory)]);
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return {
    availableMemoryBytes: available === undefined ? Infinity : Number(available) * 1024,
    availableDiskBytes: disk.bavail * disk.bsize,
  };
}

/** The file without its last line break; empty where there is none to read. */
async function readLine(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return '';
    throw error;
  }
}
