import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { command } from '../lab/command.js';
import { create, type FindCluster } from '../workloads/pod.js';
import { ask, expose, inside } from './server.js';

/** What becomes of packets for the addresses of Services that are for none of them. */
export function refusalTests(cluster: FindCluster): void {
  const curl = async (at: string): Promise<number> =>
    (await cluster().host.run(['curl', '-sS', '-m', '2', `http://${at}/`], { accept: [7, 28] })).code;

  test('a wrong port of a Service is refused at once, from pods and from the host', async () => {
    const address = await expose(cluster(), 'strict');
    await eventually(async () => assert.match(await inside(cluster(), 'one', ask(address)), /saw/), 20_000, 300);
    assert.equal(await curl(`${address}:81`), 7, 'refused; 28 is a time-out');
    assert.match(await inside(cluster(), 'one', `timeout 2 wget -qO- http://${address}:81/ 2>&1; true`), /refused/);
  });

  test('what is for an address of the service ranges that no Service has stays on the machine; ranges may be added', async () => {
    const { lab } = cluster();
    // The lab's switch is the way out.
    const atGateway = async (...argv: string[]): Promise<string> =>
      (await command(['ip', 'netns', 'exec', `${lab.name}-sw`, ...argv])).stdout;
    const leaves = async (at: string): Promise<boolean> => {
      await atGateway('nft', 'reset counters table ip seen');
      await curl(at);
      await inside(cluster(), 'one', `timeout 1 wget -qO- http://${at}/; true`);
      return !/packets 0 /.test(await atGateway('nft', 'list counters table ip seen'));
    };
    const chain = 'add chain ip seen arriving { type filter hook prerouting priority 0; }';
    const count = 'add rule ip seen arriving ip daddr { 10.96.255.254, 10.99.7.7 } counter name left';
    await atGateway('nft', `add table ip seen; add counter ip seen left; ${chain}; ${count}`);
    assert.equal(await leaves('10.96.255.254'), false);
    assert.equal(await leaves('10.99.7.7'), true);
    await create(cluster(), {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'further' },
      spec: { cidrs: ['10.99.7.0/24'] },
    });
    await eventually(async () => assert.equal(await leaves('10.99.7.7'), false), 20_000, 300);
    await cluster().kubectl(['delete', 'servicecidr', 'further', '--wait=false']);
  });
}
