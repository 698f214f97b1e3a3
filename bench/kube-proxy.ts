import { Lab } from '../e2e/lab/lab.js';
import { CommittedRules } from '../kube-proxy/committed-rules.js';
import { systemExecute, type Execute } from '../kube-proxy/execute.js';
import { NftWriter } from '../kube-proxy/nft-writer.js';
import type { ProxyContext } from '../kube-proxy/rule-set.js';
import { planService } from '../kube-proxy/service-plan.js';
import type { EndpointSlice, Service } from '../shared/api/generated/types.js';
import { percentile, timed, type Measures } from './figure.js';

const services = 10_000;
const additions = 5;
const clusterCIDR = '10.244.0.0/16';
const context: ProxyContext = {
  localNodes: new Set(['node-1']),
  localPodCIDRs: ['10.244.0.0/24'],
  linkAddress: '192.168.77.1',
};
const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

/** From Services to rules in the kernel, in a network namespace of its own: 10,000 at once, then one more. Needs root. */
export const measures: Measures = async ({ say }) => {
  const lab = await Lab.create(1, { engines: false });
  try {
    const execute: Execute = (file, args, input) => {
      const [program = '', ...rest] = lab.host(0).inside([file, ...args]);
      return systemExecute(program, rest, input);
    };
    const rules = new CommittedRules();
    const writer = new NftWriter(execute, rules, { clusterCIDR, masqueradeWithinBridge: false });
    const serve = (index: number): void =>
      rules.set(`bench/s-${index}`, planService(service(index), slices(index), context));
    say(`  ${services} services`);
    const [coldMs] = await timed(async () => {
      for (let i = 0; i < services; i++) serve(i);
      await writer.write();
    });
    const more: number[] = [];
    for (let i = 0; i < additions; i++) {
      const [elapsedMs] = await timed(async () => {
        serve(services + i);
        await writer.write();
      });
      more.push(elapsedMs);
    }
    return [
      { measure: 'kube-proxy: 10,000 services, cold', value: coldMs / 1000, unit: 's' },
      { measure: 'kube-proxy: one more service', value: percentile(more, 0.5) / 1000, unit: 's' },
    ];
  } finally {
    await lab.destroy();
  }
};

function service(index: number): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...filled, name: `s-${index}`, namespace: 'bench' },
    spec: {
      type: 'ClusterIP',
      clusterIP: `10.96.${(index >> 8) + 1}.${index & 255}`,
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
    },
  };
}

/** Two backends each. */
function slices(index: number): EndpointSlice[] {
  const address = (host: number): string => `10.244.${(index >> 7) & 127}.${(index * 2 + host) & 255 || 1}`;
  const endpoints = [1, 2].map((host) => ({
    addresses: [address(host)],
    nodeName: `node-${host}`,
    conditions: { ready: true },
  }));
  const labels = { 'kubernetes.io/service-name': `s-${index}` };
  return [
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...filled, name: `s-${index}-1`, namespace: 'bench', labels },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints,
    },
  ];
}
