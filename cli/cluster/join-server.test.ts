import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Failure } from './failure.js';
import { addressTowards, parseClusterInfo, parseServer } from './join-server.js';

test('a server without a port is one on 6443', () => {
  assert.equal(parseServer('https://192.168.1.10').origin, 'https://192.168.1.10:6443');
  assert.equal(parseServer('https://192.168.1.10:7443').origin, 'https://192.168.1.10:7443');
});

test('what is no address of a server is refused with an example', () => {
  for (const text of ['192.168.1.10:6443', 'http://192.168.1.10:6443', ''])
    assert.throws(
      () => parseServer(text),
      new Failure(`"${text}" is not a server's address; it looks like https://192.168.1.10:6443`),
    );
});

test('a server where nothing listens is told in one sentence', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(addressTowards(new URL(`https://127.0.0.1:${port}`)), (error: Failure) => {
    assert.match(error.message, /^The server https:\/\/127\.0\.0\.1:\d+ cannot be reached from here \(ECONNREFUSED\)/);
    return error instanceof Failure;
  });
});

test("another server's answer is not taken for cluster-info", () => {
  for (const text of [
    '',
    '<html>',
    '{}',
    '{"data":{"kubeconfig":"{}","knarr.json":"{}"}}',
    '{"data":{"kubeconfig":"x"}}',
  ])
    assert.equal(parseClusterInfo(text), undefined);
});

test('cluster-info holds the authority and the addresses', () => {
  const pem = '-----BEGIN CERTIFICATE-----\n';
  const cluster = {
    name: 'kubernetes',
    cluster: { 'certificate-authority-data': Buffer.from(pem).toString('base64') },
  };
  const network = {
    clusterCIDR: '10.244.0.0/16',
    serviceCIDR: '10.96.0.0/16',
    clusterDNS: '10.96.0.10',
    clusterDomain: 'c',
  };
  const data = { kubeconfig: JSON.stringify({ clusters: [cluster] }), 'knarr.json': JSON.stringify(network) };
  assert.deepEqual(parseClusterInfo(JSON.stringify({ data })), { ...network, ca: pem });
});
