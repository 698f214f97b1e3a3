import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enableHairpin } from './hairpin.js';

const addresses = [
  {},
  { ifname: 'br-a', addr_info: [{ local: '10.244.0.1', prefixlen: 24 }] },
  { ifname: 'docker0', addr_info: [{ local: '172.17.0.1', prefixlen: 16 }] },
];
const port = (ifname: string, master: string, hairpin: boolean) => ({
  ifname,
  master,
  linkinfo: { info_slave_data: { hairpin } },
});
const ports = [port('veth1', 'br-a', false), port('veth2', 'br-a', true), port('veth3', 'docker0', false)];

test('only ports of our own bridges are changed, and only those that need it', async () => {
  const calls: string[] = [];
  await enableHairpin(
    (_, args) => {
      calls.push(args.join(' '));
      return Promise.resolve(
        args.includes('addr') ? JSON.stringify(addresses) : args.includes('show') ? JSON.stringify(ports) : '',
      );
    },
    ['10.244.0.0/24', '10.244.1.0/24'],
  );
  assert.deepEqual(calls.slice(2), ['link set dev veth1 type bridge_slave hairpin on']);
});

test('a port that is gone in the meantime is no failure, any other refusal is', async () => {
  const answering = (words: string) => (_: string, args: readonly string[]) =>
    args.includes('set')
      ? Promise.reject(new Error(words))
      : Promise.resolve(JSON.stringify(args.includes('addr') ? addresses : ports));
  await enableHairpin(answering('Cannot find device "veth1"'), ['10.244.0.0/24']);
  await assert.rejects(enableHairpin(answering('Operation not permitted'), ['10.244.0.0/24']), /not permitted/);
});
