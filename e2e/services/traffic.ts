import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { command } from '../lab/command.js';
import { toolbox } from '../lab/images.js';
import { create, type FindCluster } from '../workloads/pod.js';
import { ask, expose, inside } from './server.js';

/** Traffic while things change, and from outside. */
export function trafficTests(cluster: FindCluster): void {
  test('no request is lost while a Deployment rolls under load', async () => {
    const labels = { app: 'rolling' };
    const main = {
      name: 'main',
      image: toolbox,
      command: ['sh', '-c', 'mkdir /www; echo ok > /www/index.html; exec httpd -f -p 8080 -h /www'],
      readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
      lifecycle: { preStop: { sleep: { seconds: 3 } } },
    };
    await create(cluster(), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'rolling' },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 8, containers: [main] } },
      },
    });
    const address = await expose(cluster(), 'rolling', { selector: labels, ports: [{ port: 80, targetPort: 8080 }] });
    await cluster().kubectl(['rollout', 'status', 'deployment/rolling', '--timeout=60s']);
    await eventually(() => cluster().fetch(`http://${address}/`), 20_000, 300);
    const script = `for i in $(seq 4000); do [ -e /tmp/rolled ] && break; timeout 3 wget -qO- http://${address}/ >> /tmp/answers || echo lost >> /tmp/answers; sleep 0.01; done; sort /tmp/answers | uniq -c`;
    const load = cluster().kubectl(['exec', 'one', '--', 'sh', '-c', script], { timeoutMs: 120_000 });
    await cluster().kubectl(['set', 'env', 'deployment/rolling', 'VERSION=2']);
    await cluster().kubectl(['rollout', 'status', 'deployment/rolling', '--timeout=90s'], { timeoutMs: 100_000 });
    await inside(cluster(), 'one', 'touch /tmp/rolled');
    assert.match(await load, /^\s*\d{2,} ok\n$/);
    await cluster().kubectl(['delete', 'deployment', 'rolling', '--wait=false']);
  });

  test('with externalTrafficPolicy Local a server sees the address of a client outside', async () => {
    await expose(cluster(), 'local', {
      type: 'NodePort',
      selector: { name: 'one' },
      externalTrafficPolicy: 'Local',
      ports: [{ port: 80, targetPort: 8080, nodePort: 30124 }],
    });
    const { host, lab } = cluster();
    // The lab's switch stands for the world outside.
    const outside = async (port: number): Promise<string> => {
      const url = `http://${host.address}:${port}/cgi-bin/who`;
      return (await command(['ip', 'netns', 'exec', `${lab.name}-sw`, 'curl', '-sSf', '-m', '3', url])).stdout;
    };
    await eventually(async () => assert.equal(await outside(30124), 'one saw 192.168.77.254\n'), 20_000, 300);
  });

  test('a load balancer for certain sources drops all others; its node port is for all; sources may change', async () => {
    const { host, lab } = cluster();
    const outside = async (port: number): Promise<number> => {
      const url = `http://${host.address}:${port}/cgi-bin/who`;
      const argv = ['ip', 'netns', 'exec', `${lab.name}-sw`, 'curl', '-sS', '-m', '2', url];
      return (await command(argv, { accept: [7, 28] })).code;
    };
    const becomes = (port: number, code: number): Promise<void> =>
      eventually(async () => assert.equal(await outside(port), code), 30_000, 300);
    const allow = (range: string): Promise<string> => {
      const patch = JSON.stringify({ spec: { loadBalancerSourceRanges: [range] } });
      return cluster().kubectl(['patch', 'service', 'guarded', '-p', patch]);
    };
    await expose(cluster(), 'guarded', {
      type: 'LoadBalancer',
      loadBalancerSourceRanges: ['192.168.77.0/24', '192.168.77.254/32'],
      ports: [{ port: 8770, targetPort: 8080, nodePort: 30125 }],
    });
    await becomes(8770, 0);
    await allow('203.0.113.0/24');
    await becomes(8770, 28);
    await becomes(30125, 0);
    await allow('192.168.77.254/32');
    await becomes(8770, 0);
  });

  test('a Service with the name of another proxy is left to it', async () => {
    const address = await expose(cluster(), 'theirs');
    await eventually(() => cluster().fetch(`http://${address}/cgi-bin/who`), 20_000, 300);
    await cluster().kubectl(['label', 'service', 'theirs', 'service.kubernetes.io/service-proxy-name=other']);
    await eventually(() => assert.rejects(cluster().fetch(`http://${address}/cgi-bin/who`, 1)), 20_000, 300);
    await cluster().kubectl(['label', 'service', 'theirs', 'service.kubernetes.io/service-proxy-name-']);
    await eventually(() => cluster().fetch(`http://${address}/cgi-bin/who`), 20_000, 300);
  });
}

/** Somebody flushes the host's rules: each test is alone on the cluster. */
export function flushTests(cluster: FindCluster): void {
  const comesBack = async (flush: readonly string[]): Promise<void> => {
    const address = await expose(cluster(), 'flushed', { selector: { name: 'two' } });
    const works = async (): Promise<void> => {
      assert.match(await inside(cluster(), 'one', ask(address)), /^two saw /);
    };
    await eventually(works, 20_000, 300);
    await cluster().host.run(flush);
    await eventually(works, 20_000, 300);
  };

  test('iptables -F DOCKER-USER: nodes reach each other again within seconds', () =>
    comesBack(['iptables', '-F', 'DOCKER-USER']));
  // Last: it takes Docker's own chains away, too.
  test('nft flush ruleset: Services work again within seconds', () => comesBack(['nft', 'flush', 'ruleset']));
}
