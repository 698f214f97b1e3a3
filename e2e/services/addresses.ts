import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Pod, Service } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { create, type FindCluster, idle, isReady, pod, podWhere, shell } from '../workloads/pod.js';
import { ask, expose, inside } from './server.js';

const lines = (text: string): string[] => text.split('\n').filter(Boolean);
const servers = (text: string): string[] => [...new Set(lines(text).map((l) => l.split(' ')[0] ?? ''))].sort();

/** The addresses and names that reach a Service, from everywhere. */
export function addressTests(cluster: FindCluster): void {
  const host = (script: string): Promise<string> =>
    cluster()
      .host.run(['bash', '-c', script])
      .then((r) => r.stdout);
  const ipOf = async (name: string): Promise<string> => (await cluster().get<Pod>('pod', name)).status?.podIP ?? '';

  test('a cluster address answers from pods of both nodes and from the host, with the client kept between nodes', async () => {
    const address = await expose(cluster(), 'plain');
    const [one, two] = await Promise.all([ipOf('one'), ipOf('two')]);
    await eventually(
      async () => {
        assert.deepEqual(servers(await inside(cluster(), 'one', ask(address, 12))), ['one', 'two']);
      },
      20_000,
      300,
    );
    const fromTwo = lines(await inside(cluster(), 'two', ask(address, 12)));
    assert.deepEqual(servers(fromTwo.join('\n')), ['one', 'two']);
    for (const line of fromTwo.filter((l) => l.startsWith('one'))) assert.equal(line, `one saw ${two}`);
    assert.deepEqual(servers(await host(`for i in $(seq 12); do curl -sSf -m 3 http://${address}/cgi-bin/who; done`)), [
      'one',
      'two',
    ]);
    assert.equal(await inside(cluster(), 'two', ask(`${one}:8080`)), `one saw ${two}\n`, 'pod to pod, not masqueraded');
  });

  test('a pod reaches itself through its own Service', async () => {
    const address = await expose(cluster(), 'hairpin', { selector: { name: 'one' } });
    await eventually(async () => assert.match(await inside(cluster(), 'one', ask(address)), /^one saw /), 20_000, 300);
  });

  test('a node port answers on the address of every node', async () => {
    await expose(cluster(), 'ported', { type: 'NodePort', ports: [{ port: 80, targetPort: 8080, nodePort: 30123 }] });
    const addresses = lines(
      await cluster().kubectl([
        'get',
        'nodes',
        '-o',
        'jsonpath={range .items[*]}{.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}',
      ]),
    );
    assert.equal(addresses.length, 2);
    for (const address of addresses)
      await eventually(
        async () => {
          assert.match(await cluster().fetch(`http://${address}:30123/cgi-bin/who`), /^(one|two) saw /);
          assert.match(await inside(cluster(), 'one', ask(`${address}:30123`)), /^(one|two) saw /);
        },
        20_000,
        300,
      );
  });

  test('a headless Service names its pods; an ExternalName is an alias; ports have SRV records', async () => {
    await expose(cluster(), 'heads', { clusterIP: 'None' });
    await create(cluster(), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'alias' },
      spec: { type: 'ExternalName', externalName: 'kubernetes.default.svc.cluster.local' },
    });
    const [one, two] = await Promise.all([ipOf('one'), ipOf('two')]);
    const zone = 'default.svc.cluster.local';
    const lookUp = (from: string, type: string, name: string): Promise<string> =>
      inside(cluster(), from, `nslookup -type=${type} ${name} 10.96.0.10`);
    for (const from of ['one', 'two'])
      await eventually(
        async () => {
          const all = await lookUp(from, 'a', `heads.${zone}`);
          assert.ok(all.includes(`Address: ${one}`) && all.includes(`Address: ${two}`), all);
          assert.ok((await lookUp(from, 'a', `two.heads.${zone}`)).includes(`Address: ${two}`));
        },
        30_000,
        500,
      );
    assert.match(await inside(cluster(), 'two', ask('one.heads:8080')), /^one saw /);
    assert.match(
      await lookUp('one', 'cname', `alias.${zone}`),
      /canonical name = kubernetes\.default\.svc\.cluster\.local/,
    );
    assert.match(
      await lookUp('one', 'srv', `_http._tcp.heads.${zone}`),
      /service = \d+ \d+ 8080 two\.heads\.default\.svc\.cluster\.local/,
    );
  });

  test('a Service without endpoints refuses at once', async () => {
    const address = await expose(cluster(), 'nobody', { selector: { app: 'nobody' } });
    await eventually(
      async () => {
        const { code } = await cluster().host.run(['curl', '-sS', '-m', '2', `http://${address}/`], {
          accept: [7, 28],
        });
        assert.equal(code, 7, 'refused; 28 is a time-out');
        assert.match(await inside(cluster(), 'one', `timeout 2 wget -qO- http://${address}/ 2>&1; true`), /refused/);
      },
      20_000,
      300,
    );
  });

  test('ClientIP affinity keeps a client with one server', async () => {
    const address = await expose(cluster(), 'faithful', { sessionAffinity: 'ClientIP' });
    await eventually(async () => assert.match(await inside(cluster(), 'one', ask(address)), /saw/), 20_000, 300);
    assert.equal(servers(await inside(cluster(), 'one', ask(address, 15))).length, 1);
  });

  test('a port on the load balancer belongs to one Service, or to a process of the host: the others wait and say who has it', async () => {
    const ports = [{ port: 8765, targetPort: 8080 }];
    const ingress = async (name: string): Promise<string | undefined> =>
      (await cluster().get<Service>('service', name)).status?.loadBalancer?.ingress?.[0]?.ip;
    await expose(cluster(), 'holder', { type: 'LoadBalancer', ports });
    await eventually(async () => assert.ok(await ingress('holder')), 30_000, 300);
    await expose(cluster(), 'waiter', { type: 'LoadBalancer', ports });
    const pending = (name: string, told: RegExp): Promise<void> =>
      eventually(
        async () => {
          const events = await cluster().get<{ items: Event[] }>(
            'events',
            '--field-selector',
            `involvedObject.name=${name}`,
          );
          assert.ok(
            events.items.some((e) => told.test(e.message ?? '')),
            JSON.stringify(events.items.map((e) => e.message)),
          );
        },
        30_000,
        300,
      );
    await pending('waiter', /holder/);
    assert.equal(await ingress('waiter'), undefined);
    const waiter = await cluster().get<Service>('service', 'waiter');
    const address = await ingress('holder');
    assert.match(await cluster().fetch(`http://${address}:${waiter.spec?.ports?.[0]?.nodePort}/cgi-bin/who`), /saw/);
    await cluster().kubectl(['delete', 'service', 'holder']);
    await eventually(async () => assert.ok(await ingress('waiter')), 30_000, 300);
    await eventually(
      async () => assert.match(await cluster().fetch(`http://${address}:8765/cgi-bin/who`), /saw/),
      10_000,
    );

    const listener = cluster().host.spawn(
      [process.execPath, '-e', 'require("net").createServer().listen(8766)'],
      'listener.log',
    );
    try {
      await eventually(async () => assert.match(await host('ss -ltn'), /:8766\b/));
      await expose(cluster(), 'outdone', { type: 'LoadBalancer', ports: [{ port: 8766, targetPort: 8080 }] });
      await pending('outdone', /8766/);
      assert.equal(await ingress('outdone'), undefined);
    } finally {
      listener.kill();
    }
    await eventually(async () => assert.ok(await ingress('outdone')), 40_000, 500);
  });

  test('names of Services resolve over UDP in pods of both nodes, short and long', async () => {
    const address = await expose(cluster(), 'named');
    for (const [index, node] of ['node-1', 'node-2'].entries()) {
      const name = `resolver-${index}`;
      await create(
        cluster(),
        pod(name, { nodeSelector: { 'kubernetes.io/hostname': node }, containers: [shell('main', idle)] }),
      );
      await podWhere(cluster(), name, isReady);
      for (const asked of ['named', 'named.default', 'named.default.svc.cluster.local'])
        await eventually(
          async () =>
            assert.match(
              await inside(cluster(), name, `ping -c 1 -W 1 ${asked} 2>&1; true`),
              new RegExp(`\\(${address}\\)`),
            ),
          20_000,
          500,
        );
      assert.match(
        await inside(cluster(), name, 'cat /etc/resolv.conf'),
        /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m,
      );
    }
  });
}
