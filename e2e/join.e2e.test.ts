import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Node, Pod, Service } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { TestCluster } from './lab/cluster.js';
import type { CommandOptions, CommandResult } from './lab/command.js';
import type { Host } from './lab/host.js';
import { whoManifest } from './lab/who.js';

let cluster: TestCluster;
let second: Host;

before(async () => {
  cluster = await TestCluster.start({ hosts: 2, wait: true });
  second = cluster.lab.host(1);
});
after(() => cluster?.destroy());

const knarrThere = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
  cluster.knarr(args, { timeoutMs: 120_000, ...options }, second);
const joinCommand = async (...args: readonly string[]): Promise<string[]> =>
  (await cluster.knarr(['token', 'create', '--print-join-command', ...args])).stdout.trim().split(' ').slice(1);

describe('a machine that may not join is told why in one sentence, and nothing is left on it', () => {
  const refused = async (args: readonly string[], sentence: RegExp): Promise<void> => {
    const { code, stderr } = await knarrThere(args, { accept: [1] });
    assert.equal(code, 1);
    const [last = ''] = stderr.trim().split('\n').slice(-1);
    assert.match(last, sentence);
    assert.match((await knarrThere(['status'], { accept: [1] })).stderr, /There is no cluster "default"/);
  };
  const changed = (args: readonly string[], from: RegExp, to: string): string[] => args.map((a) => a.replace(from, to));

  test('the hash of the authority is another', async () => {
    const args = changed(await joinCommand(), /^sha256:.*/, `sha256:${'0'.repeat(64)}`);
    await refused(
      args,
      /^error: The server's authority has the hash sha256:\w{64}, not sha256:0{64}: .*Nothing was joined$/,
    );
  });

  test('the token is mistyped', async () => {
    const args = changed(await joinCommand(), /^\w{6}\.\w{16}$/, 'abcdef.0123456789abcdef');
    await refused(args, /^error: The server does not know this token: .*knarr token create --print-join-command$/);
  });

  test('the token has expired', async () => {
    const args = await joinCommand('--ttl', '0s');
    await refused(args, /^error: The server does not know this token: it is mistyped, or it has expired\./);
  });

  test('nothing listens at the address', async () => {
    const args = changed(await joinCommand(), /:6443$/, ':6499');
    await refused(
      args,
      /^error: The server https:\S+:6499 cannot be reached from here \(ECONNREFUSED\)\. Check the address/,
    );
  });

  test('the name belongs to a living node', async () => {
    const args = [...(await joinCommand()), '--node-name', 'node-1'];
    await refused(args, /^error: The cluster already has a node "node-1"\. Choose another name with: --node-name$/);
  });
});

describe('a machine that joins', () => {
  before(async () => {
    const { stderr } = await knarrThere([...(await joinCommand()), '--node-name', 'joined']);
    assert.match(stderr, /node "joined" has joined https:\/\/192\.168\.77\.1:6443$/m);
    await cluster.apply(`${whoManifest('near', 'node-1')}---${whoManifest('far', 'joined')}`);
    for (const name of ['near', 'far'])
      await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=60s'], { timeoutMs: 70_000 });
  });

  const podOf = async (app: string): Promise<Pod> => {
    const { items } = await cluster.get<{ items: Pod[] }>('pods', '-l', `app=${app}`);
    assert.ok(items[0], `no pod of ${app}`);
    return items[0];
  };
  const askFrom = async (app: string, url: string): Promise<string> =>
    (await cluster.kubectl(['exec', `deployment/${app}`, '--', 'timeout', '5', 'wget', '-q', '-O', '-', url])).trim();

  test('is a Ready node whose certificates the cluster has signed, and knows so itself', async () => {
    const node = await cluster.get<Node>('node', 'joined');
    assert.deepEqual(
      node.status?.addresses?.map((a) => `${a.type} ${a.address}`),
      [`InternalIP ${second.address}`, 'Hostname joined'],
    );
    const requests = await cluster.kubectl(['get', 'csr', '--no-headers']);
    assert.match(requests, /kubernetes\.io\/kube-apiserver-client-kubelet\s+system:bootstrap:\w{6}\s.*Approved,Issued/);
    assert.match(requests, /kubernetes\.io\/kubelet-serving\s+system:node:joined\s.*Approved,Issued/);
    const { stdout } = await knarrThere(['status']);
    assert.match(stdout, /kubelet-joined\s+\d+\s+ok\nkube-proxy-joined\s+\d+\s+ok\n\nNODE\s+STATUS\njoined\s+Ready/);
  });

  test('may join the same cluster again, and no other', async () => {
    const args = await joinCommand();
    await knarrThere(args);
    const other = args.map((a) => a.replace('192.168.77.1', '192.168.77.9'));
    const { stderr } = await knarrThere(other, { accept: [1] });
    assert.match(
      stderr,
      /already has a cluster "default" \(https:\/\/192\.168\.77\.1:6443\)\. Leave it first with: knarr down/,
    );
  });

  for (const [from, to] of [
    ['near', 'far'],
    ['far', 'near'],
  ] as const) {
    test(`its pods and the server's reach each other: ${from} to ${to}, seen with their own addresses`, async () => {
      const [client, server] = [await podOf(from), await podOf(to)];
      const expected = `${server.metadata?.name} ${client.status?.podIP}`;
      const service = await cluster.get<Service>('service', to);
      const port = service.spec?.ports?.[0]?.port;
      const reached = (host: string): Promise<void> =>
        eventually(
          async () => assert.equal(await askFrom(from, `http://${host}:${port}/cgi-bin/who`), expected),
          20_000,
        );
      assert.equal(await askFrom(from, `http://${server.status?.podIP}:8080/cgi-bin/who`), expected);
      await reached(service.spec?.clusterIP ?? '');
      await reached(`${to}.default.svc.cluster.local`);
      await reached(to);
    });
  }

  for (const app of ['near', 'far']) {
    test(`the Service ${app} answers at its NodePort and its port on both machines`, async () => {
      const service = await eventually(async () => {
        const found = await cluster.get<Service>('service', app);
        const addresses = found.status?.loadBalancer?.ingress?.map((i) => i.ip).sort();
        assert.deepEqual(addresses, ['192.168.77.1', '192.168.77.2']);
        return found;
      }, 20_000);
      const pod = (await podOf(app)).metadata?.name ?? '';
      const [port] = service.spec?.ports ?? [];
      for (const from of cluster.lab.hosts)
        for (const to of cluster.lab.hosts)
          for (const number of [port?.nodePort, port?.port]) {
            const url = `http://${to.address}:${number}/cgi-bin/who`;
            const { stdout } = await from.run(['curl', '-sSf', '-m', '5', url]);
            assert.equal(stdout.split(' ')[0], pod, `${url} from ${from.name}`);
          }
    });
  }

  test('gives logs of its pods and runs commands in them', async () => {
    assert.match(await cluster.kubectl(['logs', 'deployment/far']), /^far is served$/m);
    assert.equal(await cluster.kubectl(['exec', '-i', 'deployment/far', '--', 'cat'], { input: 'through' }), 'through');
  });

  test('takes one of the two DNS servers when they are started anew', async () => {
    await cluster.kubectl(['-n', 'kube-system', 'rollout', 'restart', 'deployment/kube-dns']);
    const wait = ['-n', 'kube-system', 'rollout', 'status', 'deployment/kube-dns', '--timeout=60s'];
    await cluster.kubectl(wait, { timeoutMs: 70_000 });
    await eventually(async () => {
      const { items } = await cluster.get<{ items: Pod[] }>('-n', 'kube-system', 'pods', '-l', 'k8s-app=kube-dns');
      assert.deepEqual(new Set(items.map((p) => p.spec.nodeName)), new Set(['joined', 'node-1']));
    }, 40_000);
  });

  test('keeps its pods when it is stopped and started', async () => {
    const before = (await podOf('far')).metadata?.uid;
    await knarrThere(['stop']);
    const { stderr } = await knarrThere(['start']);
    assert.match(stderr, /node "joined" is ready in the cluster of https:\/\/192\.168\.77\.1:6443/);
    const pod = await podOf('far');
    assert.deepEqual([pod.metadata?.uid, pod.status?.containerStatuses?.[0]?.restartCount], [before, 0]);
  });

  test('leaves nothing behind when it goes, and the server forgets the way to it', async () => {
    const { stdout } = await knarrThere(['down']);
    assert.match(stdout, /kubectl delete node joined/);
    assert.equal((await second.run(['docker', 'ps', '-aq'])).stdout, '');
    assert.doesNotMatch((await second.run(['docker', 'network', 'ls'])).stdout, /knarr/);
    assert.doesNotMatch((await second.run(['nft', 'list', 'tables'])).stdout, /knarr/);
    assert.equal((await second.ip('route', 'show', 'proto', '107')).stdout, '');
    assert.notEqual((await cluster.host.ip('route', 'show', 'proto', '107')).stdout, '');
    await cluster.kubectl(['delete', 'node', 'joined']);
    await eventually(
      async () => assert.equal((await cluster.host.ip('route', 'show', 'proto', '107')).stdout, ''),
      20_000,
    );
  });
});
