import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../shared/clock/eventually.js';
import { dockerImages } from '../shared/image/docker-images.js';
import { importImage } from '../shared/image/import-image.js';
import { baseFiles, libraryFiles } from '../shared/image/node-runtime.js';
import { TestCluster } from './lab/cluster.js';
import { toolbox } from './lab/images.js';
import { laterProgram } from './lab/later-debian.js';
import { debianProgram } from './lab/tools.js';
import {
  type Access,
  allJobs,
  byToken,
  clusterJobs,
  discovering,
  fileOf,
  type Job,
  keep,
  listed,
  localJobs,
} from './monitoring/jobs.js';
import { prometheusPod, readerOfShop, shopOf } from './monitoring/manifests.js';
import { MonitoredCluster } from './monitoring/monitored-cluster.js';
import { missingFrom, ofEveryProcess, stableMetrics, usualMetrics } from './monitoring/stable-metrics.js';

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What a pod has to come to its cluster. */
const ofPod: Access = {
  server: 'https://kubernetes.default.svc',
  ca: `${accountFolder}/ca.crt`,
  token: `${accountFolder}/token`,
};

const at = {
  token: '127.0.0.1:9091',
  kubeconfig: '127.0.0.1:9092',
  options: '127.0.0.1:9093',
  older: '127.0.0.1:9094',
};
/** Several of them at once leave time for the cluster, also on a slow machine. */
const everySeconds = 5;
const portOf = (address: string): number => Number(address.split(':')[1]);

function kubeconfigOf({ server, ca, token }: Access): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'it', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'prometheus', user: { tokenFile: token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'prometheus' } }],
    'current-context': 'it',
  });
}

/** The names by which each job of the options found pods, however the role calls them. */
const podsOf = (found: readonly { discoveredLabels: Readonly<Record<string, string>> }[], job: string): string[] => {
  const own = found.filter(({ discoveredLabels }) => discoveredLabels['job'] === job);
  const names = own.map(({ discoveredLabels }) => discoveredLabels['__meta_kubernetes_pod_name'] ?? 'no pod');
  return [...new Set(names)].sort();
};

/** Discovery that is narrowed, in each of the ways that the documentation of Prometheus names. */
function optionJobs(access: Access, reader: Access): readonly Job[] {
  const inShop = { namespaces: { names: ['shop'] } };
  const job = (name: string, config: Job): Job => ({
    job_name: name,
    kubernetes_sd_configs: [config],
    relabel_configs: [{ action: 'drop', source_labels: ['__address__'], regex: '.*' }],
  });
  const annotated = (label: string): string => `__meta_kubernetes_pod_annotation_prometheus_io_${label}`;
  return [
    ...['pod', 'endpoints', 'endpointslice'].map((role) =>
      job(`namespace-${role}`, { role, ...byToken(reader), ...inShop }),
    ),
    job('label', { role: 'pod', ...byToken(access), selectors: [{ role: 'pod', label: 'app=shop,tier!=back' }] }),
    job('field', { role: 'pod', ...byToken(access), selectors: [{ role: 'pod', field: 'metadata.name=shop-2' }] }),
    job('set', { role: 'pod', ...byToken(access), ...inShop, selectors: [{ role: 'pod', label: 'tier in (back)' }] }),
    job('node-labels', { role: 'pod', ...byToken(access), ...inShop, attach_metadata: { node: true } }),
    {
      job_name: 'annotated',
      kubernetes_sd_configs: [{ role: 'pod', ...byToken(access) }],
      relabel_configs: [
        keep(annotated('scrape'), 'true'),
        { source_labels: [annotated('path')], regex: '(.+)', target_label: '__metrics_path__' },
        {
          source_labels: ['__address__', annotated('port')],
          regex: '([^:]+)(?::\\d+)?;(\\d+)',
          replacement: '$1:$2',
          target_label: '__address__',
        },
        { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
      ],
    },
  ];
}

describe('Prometheus with kubernetes_sd_configs', () => {
  let monitored: MonitoredCluster | undefined;
  const running = (): MonitoredCluster => monitored ?? assert.fail('there is no cluster');
  TestCluster.explainFailures(() => monitored?.cluster);
  before(async () => {
    monitored = await MonitoredCluster.prepare(await TestCluster.start({ wait: true }));
    const { access, cluster } = monitored;
    await cluster.apply(readerOfShop);
    const program = laterProgram('usr/bin/prometheus');
    const start = (name: keyof typeof at, jobs: readonly Job[], binary = program): void =>
      running().prometheus(binary, `prometheus-${name}`, fileOf(jobs, everySeconds), portOf(at[name]));
    start('token', [...discovering(access, byToken(access)), ...localJobs]);
    const kubeconfig = monitored.file('kubeconfig', kubeconfigOf(access));
    start('kubeconfig', [...discovering(access, { kubeconfig_file: kubeconfig }), ...localJobs]);
    const reader = { ...access, token: monitored.file('reader', await monitored.tokenOf('reader')) };
    start('options', optionJobs(access, reader));
    const addresses = { node: await monitored.addressOfNode(), dns: await monitored.addressOfDns() };
    const older = await debianProgram('prometheus', 'usr/bin/prometheus');
    start('older', [...listed(access, addresses), ...localJobs], older);
  });
  after(() => monitored?.destroy());

  for (const name of ['token', 'kubeconfig'] as const) {
    test(`with a ${name} it finds nodes, pods, services, endpoints, slices and ingresses`, async () => {
      await running().eventuallyFound(at[name]);
    });
    test(`with a ${name} it finds and scrapes every component`, async () => {
      await running().eventuallyUp(at[name], allJobs);
    });
  }

  test('the one of an older release scrapes every component that it is told of', async () => {
    await running().eventuallyUp(at.older, allJobs);
  });

  test('in a pod, with nothing but its ServiceAccount, it finds and scrapes every component', async () => {
    const { cluster } = running();
    const program = laterProgram('usr/bin/prometheus');
    const path = '/bin/prometheus';
    const image = await importImage({
      docker: dockerImages(cluster.host.dockerSocket),
      repository: 'knarr-test/prometheus',
      files: [{ kind: 'file', path, source: program, mode: 0o755 }, ...(await libraryFiles([program])), ...baseFiles()],
      config: { entrypoint: [path] },
    });
    await cluster.apply(prometheusPod(image.reference, fileOf(discovering(ofPod, {}), everySeconds)));
    await cluster.kubectl(['wait', '-n', 'monitoring', 'pod/prometheus', '--for=condition=Ready', '--timeout=120s']);
    const address = ['get', '-n', 'monitoring', 'pod/prometheus', '-o', 'jsonpath={.status.podIP}:9090'];
    const inside = await cluster.kubectl(address);
    await running().eventuallyFound(inside);
    await running().eventuallyUp(inside, clusterJobs);
    await cluster.kubectl(['delete', '-n', 'monitoring', 'pod/prometheus', '--now']);
  });

  test('it follows pods that come and go, and scrapes what their annotations say', async () => {
    const { cluster } = running();
    const ups = async (): Promise<string[]> => {
      const { activeTargets } = await running().targets(at.options);
      const own = activeTargets.filter(({ labels, health }) => labels['job'] === 'annotated' && health === 'up');
      return own.map(({ labels }) => labels['pod'] ?? '').sort();
    };
    await cluster.apply(shopOf(toolbox, 'shop-1', 'front'));
    await cluster.apply(shopOf(toolbox, 'shop-2', 'back'));
    await eventually(async () => assert.deepEqual(await ups(), ['shop-1', 'shop-2']), 120_000);
    await eventually(async () => {
      assert.equal(await running().query(at.options, 'sum(shop_orders_total)'), 14);
    }, 120_000);
    await cluster.kubectl(['delete', '-n', 'shop', 'pod/shop-1']);
    await eventually(async () => assert.deepEqual(await ups(), ['shop-2']), 120_000);
    // What is left of the pod that is gone ends at once, not after the five minutes in which a series may be late.
    await eventually(async () => {
      assert.equal(await running().query(at.options, 'sum(shop_orders_total)'), 7);
    }, 120_000);
    await cluster.apply(shopOf(toolbox, 'shop-1', 'front'));
    await eventually(async () => assert.deepEqual(await ups(), ['shop-1', 'shop-2']), 120_000);
  });

  test('namespaces, selectors and attached metadata say what it finds', async () => {
    const expected: Readonly<Record<string, readonly string[]>> = {
      'namespace-pod': ['shop-1', 'shop-2'],
      'namespace-endpoints': ['shop-1', 'shop-2'],
      'namespace-endpointslice': ['shop-1', 'shop-2'],
      label: ['shop-1'],
      field: ['shop-2'],
      set: ['shop-2'],
      'node-labels': ['shop-1', 'shop-2'],
    };
    await eventually(async () => {
      const { droppedTargets } = await running().targets(at.options);
      const found = Object.keys(expected).map((job) => [job, podsOf(droppedTargets, job)]);
      assert.deepEqual(Object.fromEntries(found), expected);
      const hosts = droppedTargets
        .filter(({ discoveredLabels }) => discoveredLabels['job'] === 'node-labels')
        .map(({ discoveredLabels }) => discoveredLabels['__meta_kubernetes_node_label_kubernetes_io_hostname']);
      assert.deepEqual([...new Set(hosts)], ['node-1']);
    }, 120_000);
  });

  test('none of them complains of anything', async () => {
    for (const name of ['token', 'kubeconfig'] as const) {
      const complaints = running()
        .logOf(`prometheus-${name}`)
        .split('\n')
        .filter((line) => /level=(WARN|ERROR)/i.test(line));
      assert.deepEqual(complaints, []);
      assert.equal(await running().query(at[name], 'count(up == 0)'), undefined);
    }
  });

  test('every component tells what Kubernetes documents as stable, and what dashboards look for', async () => {
    const texts = await running().texts();
    for (const [name, text] of Object.entries(texts)) {
      const expected = [...(stableMetrics[name] ?? []), ...(usualMetrics[name] ?? [])];
      assert.deepEqual(missingFrom(text, expected), [], name);
    }
    for (const name of ['apiserver', 'dns', 'kubelet', 'scheduler', 'controller-manager', 'kube-proxy'])
      assert.deepEqual(missingFrom(texts[name] ?? '', ofEveryProcess), [], name);
    for (const name of [...Object.keys(stableMetrics), ...Object.keys(usualMetrics)]) assert.ok(name in texts, name);
  });

  test('promtool of either release finds nothing wrong with the form of any metrics', async () => {
    const texts = await running().texts();
    for (const promtool of [laterProgram('usr/bin/promtool'), await debianProgram('prometheus', 'usr/bin/promtool')])
      assert.deepEqual(await running().complaints(promtool, texts), {});
  });
});
