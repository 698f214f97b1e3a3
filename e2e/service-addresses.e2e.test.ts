import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { after, before, test } from 'node:test';
import { CommittedRules } from '../kube-proxy/committed-rules.js';
import { systemExecute, type Execute } from '../kube-proxy/execute.js';
import { NftWriter } from '../kube-proxy/nft-writer.js';
import type { ProxyContext } from '../kube-proxy/rule-set.js';
import { planService } from '../kube-proxy/service-plan.js';
import { planServiceRanges } from '../kube-proxy/service-ranges.js';
import type { EndpointSlice, Service, ServiceCIDR } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { command } from './lab/command.js';
import type { Host } from './lab/host.js';
import { Lab } from './lab/lab.js';

/** The rules of kube-proxy in a kernel: host 0 has them, host 1 serves, host 2 is a client whose Services are routed through host 0. */
const rules = new CommittedRules();
const refused = 7;
const timedOut = 28;
let lab: Lab;
let writer: NftWriter;
let server: ChildProcess | undefined;

before(async () => {
  lab = await Lab.create(3, { engines: false });
  const execute: Execute = (file, args, input) => {
    const [program = '', ...rest] = lab.host(0).inside([file, ...args]);
    return systemExecute(program, rest, input);
  };
  writer = new NftWriter(execute, rules, { clusterCIDR: '10.244.0.0/16', masqueradeWithinBridge: false });
  const answer = 'require("http").createServer((_, r) => r.end("served")).listen(8080)';
  server = lab.host(1).spawn([process.execPath, '-e', answer], 'server.log');
  await eventually(() => lab.host(0).run(['curl', '-sSf', 'http://192.168.77.2:8080/']));
  for (const destination of ['10.96.0.0/12', '203.0.113.0/24'])
    await lab.host(2).ip('route', 'add', destination, 'via', lab.host(0).address);
  // Redirects would teach the client the way around host 0.
  await lab.host(0).run(['sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.eth0.send_redirects=0']);
  // Only what is for the gateway itself counts, not what passes from host to host.
  await atGateway('sysctl', '-eqw', 'net.bridge.bridge-nf-call-iptables=0');
  const seen =
    'add table ip seen; add chain ip seen arriving { type filter hook prerouting priority 0; }; add counter ip seen left';
  await atGateway('nft', `${seen}; add rule ip seen arriving ip daddr 10.96.0.0/12 counter name left`);
  rules.set('d/s', planService(service(), [slice()], context));
  await writer.write();
});
after(async () => {
  server?.kill();
  await lab?.destroy();
});

/** In the namespace of the default route. */
const atGateway = async (...argv: string[]): Promise<string> =>
  (await command(['ip', 'netns', 'exec', `${lab.name}-sw`, ...argv])).stdout;
/** How many packets for addresses of Services have arrived there since the last call. */
const left = async (): Promise<number> =>
  Number(/packets (\d+)/.exec(await atGateway('nft', 'reset', 'counter', 'ip', 'seen', 'left'))?.[1]);
/** curl's exit code. */
const get = async (from: Host, at: string): Promise<number> =>
  (await from.run(['curl', '-sSf', '-m', '1', `http://${at}/`], { accept: [refused, timedOut] })).code;
const clients = (): Host[] => [lab.host(0), lab.host(2)];
const ranges = (...cidrs: string[]): void =>
  rules.set('ranges', planServiceRanges(cidrs.map((text, index) => serviceCIDR(`range-${index}`, text))));

test('the ports of a Service answer at every address of it, from this host and through it', async () => {
  ranges('10.96.0.0/16');
  await writer.write();
  for (const client of clients())
    for (const at of ['10.96.0.5', '10.96.9.9', '203.0.113.9', '192.168.77.1:30080'])
      assert.equal(await get(client, at), 0, `${client.name} ${at}`);
});

test('what is for no port of a cluster address is refused at once: TCP, UDP and ICMP', async () => {
  await left();
  for (const client of clients()) {
    assert.equal(await get(client, '10.96.0.5:81'), refused, client.name);
    const udp = 'exec 3<>/dev/udp/10.96.0.5/80; echo >&3; read -t 5 <&3';
    const { stderr } = await client.run(['bash', '-c', udp], { accept: [1] });
    assert.match(stderr, /Connection refused/, client.name);
    const ping = await client.run(['busybox', 'ping', '-c', '1', '-W', '1', '10.96.0.5'], { accept: [1] });
    assert.equal(ping.code, 1);
  }
  assert.equal(await left(), 0);
});

test('an address that no Service has stays on the host, as the ranges come, widen, narrow and go', async () => {
  const leaves = async (at: string): Promise<boolean> => {
    await left();
    const codes = await Promise.all(clients().map((client) => get(client, at)));
    const hasLeft = (await left()) > 0;
    if (!hasLeft) assert.deepEqual(codes, [timedOut, timedOut], 'dropped, not refused');
    return hasLeft;
  };
  const steps: [ranges: string[], leavesNear: boolean, leavesFar: boolean][] = [
    [['10.96.0.0/16'], false, true],
    [['10.96.0.0/24', '10.96.0.0/12'], false, false],
    [['10.96.0.0/24', '10.97.0.0/24'], true, false],
    [[], true, true],
  ];
  for (const [cidrs, leavesNear, leavesFar] of steps) {
    ranges(...cidrs);
    const written = await writer.write();
    assert.ok(written <= 2, `a change of elements, not the whole table: ${written}`);
    assert.deepEqual([await leaves('10.96.7.7'), await leaves('10.97.0.7')], [leavesNear, leavesFar], cidrs.join());
  }
});

test("the address of a Service that goes is nobody's any more", async () => {
  ranges('10.96.0.0/16');
  rules.set('d/s', undefined);
  await writer.write();
  await left();
  for (const client of clients()) assert.equal(await get(client, '10.96.0.5:81'), timedOut);
  assert.equal(await left(), 0);
});

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const context: ProxyContext = {
  localNodes: new Set(['node-1']),
  localPodCIDRs: ['10.244.0.0/24'],
  linkAddress: '192.168.77.1',
};

function serviceCIDR(name: string, text: string): ServiceCIDR {
  const metadata = { ...filled, name };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata, spec: { cidrs: [text] } };
}

/** One external address is within the range of Services. */
function service(): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...filled, name: 's', namespace: 'd' },
    spec: {
      type: 'NodePort',
      clusterIP: '10.96.0.5',
      externalIPs: ['203.0.113.9', '10.96.9.9'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080, nodePort: 30_080 }],
    },
  };
}

function slice(): EndpointSlice {
  const labels = { 'kubernetes.io/service-name': 's' };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...filled, name: 's-1', namespace: 'd', labels },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['192.168.77.2'], nodeName: 'node-2', conditions: { ready: true } }],
  };
}
