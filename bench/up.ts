import { TestCluster } from '../e2e/lab/cluster.js';
import { ControlPlane } from './control-plane.js';
import { percentile, timed, type Figure, type Measures } from './figure.js';
import { processUse, type ProcessUse } from './process-use.js';

const controlPlane = ['apiserver', 'scheduler', 'controller-manager'] as const;
const nodeParts = ['kubelet-node-1', 'kubelet-node-2', 'kube-proxy-node-1', 'kube-proxy-node-2'];
const starts = 5;
const settleMs = 20_000;
const idleMs = 60_000;

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Starting, and what a cluster uses while nobody asks anything of it. Needs root: a host of its own with an engine of its own. */
export const measures: Measures = async ({ directory, say }) => [
  ...(await controlPlaneStart(directory, say)),
  ...(await wholeCluster(say)),
];

async function controlPlaneStart(directory: string, say: (line: string) => void): Promise<Figure[]> {
  say('  control plane alone');
  const cluster = await ControlPlane.create(directory);
  const all: number[] = [];
  const server: number[] = [];
  for (let i = 0; i < starts; i++) {
    server.push((await timed(() => cluster.start('apiserver')))[0] / 1000);
    await cluster.close();
    all.push((await timed(() => cluster.start(...controlPlane)))[0] / 1000);
    await cluster.close();
  }
  return [
    { measure: 'start to /readyz', value: percentile(server, 0.5), unit: 's' },
    { measure: 'start of the control plane', value: percentile(all, 0.5), unit: 's' },
  ];
}

async function wholeCluster(say: (line: string) => void): Promise<Figure[]> {
  // The first start also makes the images of this build.
  const cluster = await TestCluster.start({ nodes: 2, wait: true });
  try {
    const up: number[] = [];
    for (let i = 0; i < 3; i++) {
      await cluster.knarr(['down'], { timeoutMs: 120_000 });
      say('  knarr up --nodes 2');
      const [elapsedMs] = await timed(() => cluster.knarr(['up', '--nodes', '2'], { timeoutMs: 120_000 }));
      up.push(elapsedMs / 1000);
    }
    say(`  idle for ${idleMs / 1000} s`);
    return [
      { measure: 'knarr up to ready, two nodes', value: percentile(up, 0.5), unit: 's' },
      ...(await idle(cluster)),
    ];
  } finally {
    await cluster.destroy();
  }
}

async function idle(cluster: TestCluster): Promise<Figure[]> {
  await cluster.waitUntilHealthy();
  await pause(settleMs);
  const pids = new Map<string, number>();
  for (const name of [...controlPlane, ...nodeParts]) pids.set(name, await cluster.pidOf(name));
  const before = usesOf(pids);
  const [elapsedMs] = await timed(() => pause(idleMs));
  const after = usesOf(pids);
  const share = (names: readonly string[]): number =>
    (sum(names, (name) => (after.get(name)?.cpuMs ?? 0) - (before.get(name)?.cpuMs ?? 0)) / elapsedMs) * 100;
  const memory = (names: readonly string[]): number => sum(names, (name) => after.get(name)?.memoryMB ?? 0);
  const each = Object.fromEntries([...after].map(([name, { memoryMB }]) => [`${name} MB`, memoryMB]));
  return [
    { measure: 'memory at rest', value: memory(controlPlane), unit: 'MB', details: each },
    { measure: 'memory at rest, two nodes', value: memory(nodeParts), unit: 'MB' },
    { measure: 'idle CPU', value: share(controlPlane), unit: '% of a core' },
    { measure: 'idle CPU, two nodes', value: share(nodeParts), unit: '% of a core' },
  ];
}

const usesOf = (pids: ReadonlyMap<string, number>): Map<string, ProcessUse> =>
  new Map([...pids].map(([name, pid]) => [name, processUse(pid)]));

const sum = (names: readonly string[], valueOf: (name: string) => number): number =>
  names.reduce((total, name) => total + valueOf(name), 0);
