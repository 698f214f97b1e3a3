import { resolve } from 'node:path';
import { TestCluster } from '../e2e/lab/cluster.js';
import { percentile, type Measures } from './figure.js';
import type { PodStarts } from './pod-start-probe.js';

const rounds = 15;

/** A pod against the same two containers started by hand through Docker, in turn, in one run. Needs root. */
export const measures: Measures = async ({ say }) => {
  const cluster = await TestCluster.start();
  try {
    say(`  ${rounds} pods, and as many pairs of containers by hand`);
    const { host } = cluster;
    const probe = resolve('dist/bench/pod-start-probe.js');
    const argv = [process.execPath, probe, host.kubeconfig, host.dockerSocket, String(rounds)];
    const { stdout } = await host.run(argv, { timeoutMs: 240_000 });
    const { podMs, handMs } = JSON.parse(stdout) as PodStarts;
    const [pod, hand] = [percentile(podMs, 0.5), percentile(handMs, 0.5)];
    return [
      { measure: 'pod start: created to Running', value: pod, unit: 'ms', details: { p90Ms: percentile(podMs, 0.9) } },
      {
        measure: 'pod start: by hand through Docker',
        value: hand,
        unit: 'ms',
        details: { p90Ms: percentile(handMs, 0.9) },
      },
      { measure: 'pod start: against by hand', value: pod / hand, unit: 'x' },
    ];
  } finally {
    await cluster.destroy();
  }
};
