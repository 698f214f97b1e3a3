import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../shared/clock/eventually.js';
import { aggregationTests } from './aggregation/aggregation.js';
import { TestCluster } from './lab/cluster.js';
import { debianProgram } from './lab/tools.js';

/** As the documentation of Prometheus tells users to write it. */
const monitoring = `
apiVersion: v1
kind: Namespace
metadata: {name: monitoring}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: prometheus}
rules:
- apiGroups: ['']
  resources: [nodes, nodes/metrics, nodes/proxy, services, endpoints, pods]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
- nonResourceURLs: [/metrics]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: prometheus}
subjects:
- {kind: ServiceAccount, name: prometheus, namespace: monitoring}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: monitoring}
spec:
  rules:
  - host: web.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
`;

/** What each role of the discovery finds, by a label that only it gives. */
const roles: Readonly<Record<string, [label: string, value: RegExp]>> = {
  node: ['__meta_kubernetes_node_name', /^node-1$/],
  pod: ['__meta_kubernetes_pod_name', /dns/],
  service: ['__meta_kubernetes_service_name', /^kube-dns$/],
  endpoints: ['__meta_kubernetes_endpoints_name', /^kube-dns$/],
  endpointslice: ['__meta_kubernetes_endpointslice_name', /^kube-dns/],
  ingress: ['__meta_kubernetes_ingress_name', /^web$/],
};

/** Components that speak plain HTTP on loopback. */
const local = { scheduler: 10259, 'controller-manager': 10257, 'kube-proxy': 10256, 'kubelet-health': 10248 };
/** What the kubelet tells, through the proxy of the API server. */
const ofNodes = { kubelet: '/metrics', cadvisor: '/metrics/cadvisor', resource: '/metrics/resource' };

/** The same from the kubelet itself, which asks the API server whose token that is and what he may. */
const ofKubelets = Object.fromEntries(Object.entries(ofNodes).map(([name, path]) => [`${name}-direct`, path]));

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}
interface Targets {
  readonly activeTargets: readonly Target[];
  readonly droppedTargets: readonly Pick<Target, 'discoveredLabels'>[];
}

type Job = Record<string, unknown>;

interface Access {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
}

const fileOf = (jobs: readonly Job[]): string =>
  JSON.stringify({ global: { scrape_interval: '2s', scrape_timeout: '2s' }, scrape_configs: jobs });
const credentials = ({ ca, token }: Access): Job => ({
  tls_config: { ca_file: ca },
  authorization: { credentials_file: token },
});
const localJobs: readonly Job[] = Object.entries(local).map(([name, port]) => ({
  job_name: name,
  static_configs: [{ targets: [`127.0.0.1:${port}`] }],
}));

/** Everything is found by asking the API server. */
function discovering(access: Access): readonly Job[] {
  const secure = { scheme: 'https', ...credentials(access) };
  const discover = (role: string): Job => ({
    kubernetes_sd_configs: [{ role, api_server: access.server, ...credentials(access) }],
  });
  const keep = (label: string, regex: string): Job => ({ source_labels: [label], regex, action: 'keep' });
  const nodePath = (path: string): Job[] => [
    { target_label: '__address__', replacement: new URL(access.server).host },
    {
      source_labels: ['__meta_kubernetes_node_name'],
      regex: '(.+)',
      target_label: '__metrics_path__',
      replacement: `/api/v1/nodes/$1/proxy${path}`,
    },
  ];
  const ofApiserver = [
    keep('__meta_kubernetes_service_name', 'kubernetes'),
    keep('__meta_kubernetes_endpoint_port_name', 'https'),
  ];
  const ofDns = [
    keep('__meta_kubernetes_pod_label_k8s_app', 'kube-dns'),
    keep('__meta_kubernetes_pod_container_port_name', 'metrics'),
  ];
  return [
    ...Object.keys(roles).map((role) => ({
      job_name: `found-${role}`,
      ...discover(role),
      relabel_configs: [{ action: 'drop', source_labels: ['__address__'], regex: '.*' }],
    })),
    { job_name: 'apiserver', ...secure, ...discover('endpoints'), relabel_configs: ofApiserver },
    ...Object.entries(ofNodes).map(([name, path]) => ({
      job_name: name,
      ...secure,
      ...discover('node'),
      relabel_configs: nodePath(path),
    })),
    ...Object.entries(ofKubelets).map(([name, path]) => ({
      job_name: name,
      metrics_path: path,
      ...secure,
      ...discover('node'),
    })),
    { job_name: 'dns', ...discover('pod'), relabel_configs: ofDns },
    ...localJobs,
  ];
}

/** The same without discovery: the distribution builds its Prometheus without that of Kubernetes. */
function listed(access: Access, node: string, dns: string): readonly Job[] {
  const at = (address: string): Job => ({ static_configs: [{ targets: [address] }] });
  const server = { scheme: 'https', ...credentials(access), ...at(new URL(access.server).host) };
  return [
    { job_name: 'apiserver', ...server },
    ...Object.entries(ofNodes).map(([name, path]) => ({
      job_name: name,
      ...server,
      metrics_path: `/api/v1/nodes/node-1/proxy${path}`,
    })),
    ...Object.entries(ofKubelets).map(([name, path]) => ({
      job_name: name,
      scheme: 'https',
      metrics_path: path,
      ...credentials(access),
      ...at(`${node}:10250`),
    })),
    { job_name: 'dns', ...at(`${dns}:9153`) },
    ...localJobs,
  ];
}

const jobs = new Set(['apiserver', 'dns', ...Object.keys(ofNodes), ...Object.keys(ofKubelets), ...Object.keys(local)]);

describe('programs that are made for Prometheus', () => {
  let cluster: TestCluster | undefined;
  let dns = '';
  const programs: ChildProcess[] = [];
  const running = (): TestCluster => cluster ?? assert.fail('there is no cluster');
  TestCluster.explainFailures(() => cluster);
  before(async () => {
    cluster = await TestCluster.start({ wait: true });
    const { host } = cluster;
    await cluster.apply(monitoring);
    const folder = join(host.directory, 'monitoring');
    mkdirSync(folder);
    const path = '{.items[0].status.podIP}';
    dns = await cluster.kubectl([
      'get',
      'pod',
      '-n',
      'kube-system',
      '-l',
      'k8s-app=kube-dns',
      '-o',
      `jsonpath=${path}`,
    ]);
    const address = '{.status.addresses[?(@.type=="InternalIP")].address}';
    const node = await cluster.kubectl(['get', 'node', 'node-1', '-o', `jsonpath=${address}`]);
    const write = (name: string, content: string | Buffer): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const view = (field: string): Promise<string> =>
      running().kubectl(['config', 'view', '--raw', '--minify', '-o', `jsonpath={.clusters[0].cluster.${field}}`]);
    const access = {
      server: await view('server'),
      ca: write('ca.crt', Buffer.from(await view('certificate-authority-data'), 'base64')),
      token: write('token', (await cluster.kubectl(['create', 'token', 'prometheus', '-n', 'monitoring'])).trim()),
    };
    const found = write('discovering.yml', fileOf(discovering(access)));
    const known = write('listed.yml', fileOf(listed(access, node, dns)));
    const agent = await debianProgram('victoria-metrics', 'usr/bin/victoria-metrics');
    const agentFlags = [
      `-promscrape.config=${found}`,
      `-storageDataPath=${join(folder, 'agent')}`,
      '-search.latencyOffset=1s',
    ];
    programs.push(host.spawn([agent, ...agentFlags, '-httpListenAddr=127.0.0.1:8428'], 'victoria-metrics.log'));
    const prometheus = await debianProgram('prometheus', 'usr/bin/prometheus');
    const flags = [`--config.file=${known}`, `--storage.tsdb.path=${join(folder, 'data')}`];
    programs.push(host.spawn([prometheus, ...flags, '--web.listen-address=127.0.0.1:9090'], 'prometheus.log'));
  });
  after(async () => {
    for (const program of programs) {
      if (program.exitCode !== null) continue;
      const ended = new Promise((resolve) => program.once('exit', resolve));
      program.kill();
      await ended;
    }
    await cluster?.destroy();
  });
  const targets = async (port: number): Promise<Targets> => {
    const text = await running().fetch(`http://127.0.0.1:${port}/api/v1/targets?state=any`);
    return (JSON.parse(text) as { data: Targets }).data;
  };

  test('kubernetes_sd_configs find nodes, pods, services, endpoints, slices and ingresses', async () => {
    await eventually(async () => {
      const { droppedTargets } = await targets(8428);
      for (const [role, [label, value]] of Object.entries(roles)) {
        const names = droppedTargets.map(({ discoveredLabels }) => discoveredLabels[label] ?? '');
        assert.ok(
          names.some((name) => value.test(name)),
          role,
        );
      }
    }, 60_000);
  });

  for (const [name, port] of Object.entries({ VictoriaMetrics: 8428, Prometheus: 9090 })) {
    test(`${name} scrapes every component: all targets are up`, async () => {
      await eventually(async () => {
        const { activeTargets } = await targets(port);
        assert.deepEqual(new Set(activeTargets.map(({ labels }) => labels['job'])), jobs);
        const down = activeTargets.filter(({ health }) => health !== 'up');
        assert.deepEqual(
          down.map(({ labels, lastError }) => `${labels['job']}: ${lastError}`),
          [],
        );
      }, 60_000);
      const query = encodeURIComponent('count(container_memory_working_set_bytes{job="cadvisor"})');
      await eventually(async () => {
        const answer = await running().fetch(`http://127.0.0.1:${port}/api/v1/query?query=${query}`);
        const { data } = JSON.parse(answer) as { data: { result: { value: [number, string] }[] } };
        assert.ok(Number(data.result[0]?.value[1]) > 0, answer);
      }, 60_000);
    });
  }

  test('finds nothing wrong with the form of any of them', async () => {
    const promtool = await debianProgram('prometheus', 'usr/bin/promtool');
    const texts: Record<string, string> = {
      apiserver: await running().kubectl(['get', '--raw', '/metrics']),
      dns: await running().fetch(`http://${dns}:9153/metrics`),
    };
    for (const [name, path] of Object.entries(ofNodes)) {
      texts[name] = await running().kubectl(['get', '--raw', `/api/v1/nodes/node-1/proxy${path}`]);
    }
    for (const [name, port] of Object.entries(local)) {
      texts[name] = await running().fetch(`http://127.0.0.1:${port}/metrics`);
    }
    const complaints: Record<string, string> = {};
    for (const [name, input] of Object.entries(texts)) {
      assert.match(input, /^# HELP /m, name);
      const { stdout, stderr } = await running().host.run([promtool, 'check', 'metrics'], { input, accept: [1, 3] });
      if (stdout + stderr !== '') complaints[name] = stdout + stderr;
    }
    assert.deepEqual(complaints, {});
  });

  describe('an extension API server in a pod', () => aggregationTests(running));
});
