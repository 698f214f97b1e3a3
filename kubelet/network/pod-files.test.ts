import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOf } from '../testing/pod-builder.js';
import { hostsFile, podHostname } from './hosts-file.js';
import { formatResolvConf, parseResolvConf, podResolvConf, resolvConfOmissions } from './resolv-conf.js';

const dns = {
  clusterDns: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  host: { nameservers: ['192.0.2.53'], searches: ['example.org'], options: ['timeout:1'] },
};

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);

test('dnsPolicy decides whose name servers a pod asks', () => {
  const cluster = podResolvConf(podOf(), dns);
  assert.equal(
    formatResolvConf(cluster),
    'search default.svc.cluster.local svc.cluster.local cluster.local example.org\nnameserver 10.96.0.10\noptions ndots:5\n',
  );
  assert.deepEqual(podResolvConf(podOf({ hostNetwork: true }), dns), dns.host);
  assert.deepEqual(podResolvConf(podOf({ dnsPolicy: 'Default' }), dns), dns.host);
  const both = podResolvConf(podOf({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), dns);
  assert.deepEqual(both.nameservers, ['10.96.0.10']);
  assert.deepEqual(podResolvConf(podOf({ dnsPolicy: 'None' }), dns).nameservers, []);
});

test('dnsConfig adds to the policy and overrides options by name', () => {
  const dnsConfig = {
    nameservers: ['1.1.1.1'],
    searches: ['corp'],
    options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
  };
  const conf = podResolvConf(podOf({ dnsConfig }), dns);
  assert.deepEqual(conf.nameservers, ['10.96.0.10', '1.1.1.1']);
  assert.equal(conf.searches.at(-1), 'corp');
  assert.deepEqual(conf.options, ['ndots:2', 'edns0']);
});

test('what programs would not read is left out and told', () => {
  const dnsConfig = { nameservers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], searches: numbered(30) };
  const pod = podOf({ dnsConfig });
  const conf = podResolvConf(pod, dns);
  assert.deepEqual([conf.nameservers.length, conf.searches.length], [3, 32]);
  const [servers, searches, ...rest] = resolvConfOmissions(pod, dns);
  assert.equal(
    servers,
    'Nameserver limits were exceeded, some nameservers have been omitted, ' +
      'the applied nameserver line is: 10.96.0.10 192.0.2.1 192.0.2.2',
  );
  assert.match(searches ?? '', /^Search Line limits were exceeded, .* line is: default\.svc\.cluster\.local .* s27$/);
  assert.deepEqual(rest, []);
  assert.deepEqual(resolvConfOmissions(podOf(), dns), []);
});

test('the host file is read with its comments and repetitions', () => {
  const text = '# made by x\nsearch a b .\nnameserver 1.1.1.1 # one\n; no\nnameserver 2.2.2.2\noptions ndots:1\n';
  assert.deepEqual(parseResolvConf(text), {
    nameservers: ['1.1.1.1', '2.2.2.2'],
    searches: ['a', 'b'],
    options: ['ndots:1'],
  });
});

test('a hosts file names the pod and its aliases', () => {
  const pod = podOf({ subdomain: 'db', hostname: 'first', hostAliases: [{ ip: '192.0.2.7', hostnames: ['a', 'b'] }] });
  const text = hostsFile(pod, ['10.244.0.5'], 'cluster.local', '');
  assert.ok(text.startsWith('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n'));
  assert.ok(text.includes('\n10.244.0.5\tfirst.db.default.svc.cluster.local\tfirst\n'));
  assert.ok(text.endsWith('\n# Entries added by HostAliases.\n192.0.2.7\ta\tb\n'));
});

test('a hostNetwork pod keeps the hosts of the node', () => {
  assert.ok(hostsFile(podOf({ hostNetwork: true }), [], 'cluster.local', '127.0.0.1 me\n').endsWith('127.0.0.1 me\n'));
});

test('a host name is cut where the kernel would refuse it', () => {
  const pod = podOf();
  pod.metadata.name = `${'a'.repeat(62)}-tail`;
  assert.equal(podHostname(pod, 'cluster.local'), 'a'.repeat(62));
});
