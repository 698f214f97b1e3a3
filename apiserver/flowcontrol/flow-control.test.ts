import assert from 'node:assert/strict';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { before, describe, it } from 'node:test';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import type { RawAnswer, RawSender } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import type { TestServer } from '../testing/test-server.js';

const group = '/apis/flowcontrol.apiserver.k8s.io/v1';
const configMaps = '/api/v1/namespaces/default/configmaps';
const schemaHeader = 'x-kubernetes-pf-flowschema-uid';
const levelHeader = 'x-kubernetes-pf-prioritylevel-uid';

interface Stored {
  metadata: { name: string; uid: string; resourceVersion: string };
  status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
}

/** Many requests at once on one connection, whose bodies do not end before they are told to. */
class StuckRequests {
  readonly #session: ClientHttp2Session;
  readonly codes = new Map<number, number>();
  readonly #streams: ClientHttp2Stream[] = [];

  constructor(server: Pick<TestServer, 'url' | 'ca'>, { certificate, key }: KeyPair) {
    this.#session = connect(server.url, { ca: server.ca, cert: certificate, key });
    this.#session.on('error', () => {});
  }

  open(count: number): void {
    for (let i = 0; i < count; i++) {
      const number = this.#streams.length;
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': configMaps,
        'content-type': 'application/json',
      });
      stream.on('error', () => {});
      stream.on('response', (headers) => this.codes.set(number, headers[':status'] ?? 0));
      stream.resume();
      stream.write('{"apiVersion":"v1","kind":"ConfigMap",');
      this.#streams.push(stream);
    }
  }

  finish(number: number): void {
    this.#streams[number]?.end(`"metadata":{"name":"stuck-${number}"}}`);
  }

  get numbers(): number[] {
    return this.#streams.map((_, number) => number);
  }

  withCode(code: number): number {
    return [...this.codes.values()].filter((one) => one === code).length;
  }

  close(): void {
    this.#session.destroy();
  }
}

const metric = async (admin: RawSender, name: string, ...labels: string[]): Promise<number> => {
  const { text } = await admin.send('/metrics');
  const line = text
    .split('\n')
    .find((one) => one.startsWith(`apiserver_flowcontrol_${name}{`) && labels.every((label) => one.includes(label)));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
};

describe('priority and fairness', () => {
  // Time stands still: what is served in which order follows from the queues alone.
  const clock = new FakeClock();
  const world = serverWorld({ serverSeats: 30, clock });
  const { admin, clientOf } = world;
  const stored = async (path: string): Promise<Stored> => (await admin.send(path)).json as unknown as Stored;
  const flowOf = async (answer: RawAnswer): Promise<{ schema: string; level: string }> => {
    const named = async (resource: string, header: string): Promise<string> => {
      const list = (await admin.send(`${group}/${resource}`)).json as unknown as { items: Stored[] };
      return list.items.find(({ metadata }) => metadata.uid === answer.headers[header])?.metadata.name ?? '';
    };
    return {
      schema: await named('flowschemas', schemaHeader),
      level: await named('prioritylevelconfigurations', levelHeader),
    };
  };

  before(async () => {
    for (const user of ['greedy', 'modest']) {
      const made = await admin.send('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        body: {
          metadata: { name: user },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
          subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
        },
      });
      assert.equal(made.code, 201, made.text);
    }
  });

  it('each answer tells how its request was classified, refusals too', async () => {
    const node = await clientOf('system:node:n1', ['system:nodes']);
    const account = await clientOf('system:serviceaccount:default:app', [
      'system:serviceaccounts',
      'system:serviceaccounts:default',
    ]);
    const modest = await clientOf('modest');
    assert.deepEqual(await flowOf(await admin.send('/api/v1/pods')), { schema: 'exempt', level: 'exempt' });
    assert.deepEqual(await flowOf(await modest.send('/healthz')), { schema: 'probes', level: 'exempt' });
    assert.deepEqual(await flowOf(await modest.send('/version')), {
      schema: 'global-default',
      level: 'global-default',
    });
    assert.deepEqual(await flowOf(await node.send('/api/v1/nodes/n1')), {
      schema: 'system-node-high',
      level: 'node-high',
    });
    assert.deepEqual(await flowOf(await node.send('/api/v1/services')), { schema: 'system-nodes', level: 'system' });
    const refused = await account.send('/api/v1/secrets');
    assert.equal(refused.code, 403);
    assert.deepEqual(await flowOf(refused), { schema: 'service-accounts', level: 'workload-low' });
  });

  it('a greedy client is refused while leases get through, and others get their turn among its requests', async () => {
    const node = await clientOf('system:node:n1', ['system:nodes']);
    const modest = await clientOf('modest');
    const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    const made = await admin.send(lease, { body: { metadata: { name: 'n1' }, spec: { holderIdentity: 'n1' } } });
    assert.equal(made.code, 201);
    const greedy = new StuckRequests(world.server, await world.server.certificateFor('greedy'));
    // Three seats of thirty, six queues of fifty: the rest is too much.
    greedy.open(340);
    await eventually(() => assert.equal(greedy.withCode(429), 37), 20_000);
    assert.equal(await metric(admin, 'current_executing_requests', '"global-default",flow_schema="global-default"'), 3);
    assert.equal(await metric(admin, 'current_inqueue_requests', '"global-default",flow_schema="global-default"'), 300);
    assert.equal(await metric(admin, 'rejected_requests_total', '"global-default"', 'queue-full'), 37);

    const dump = async (name: string): Promise<string[][]> => {
      const { text } = await admin.send(`/debug/api_priority_and_fairness/${name}`);
      const rows = text.split('\n').map((line) => line.split(/, */));
      return rows.filter(([level]) => level === 'global-default');
    };
    const [level = []] = await dump('dump_priority_levels');
    assert.deepEqual([level.slice(0, 6), level[7]], [['global-default', '6', 'false', 'false', '300', '3'], '37']);
    const queues = await dump('dump_queues');
    assert.equal(queues.length, 128);
    assert.equal(queues.filter(([, , waiting]) => waiting === '50').length, 6);
    const requests = await dump('dump_requests');
    assert.equal(requests.length, 303);
    assert.equal(requests.filter(([, , , place]) => place === '-1').length, 3);
    assert.ok(requests.every(([, schema, , , flow]) => schema === 'global-default' && flow === 'greedy'));

    // Nothing of the greedy client has moved, and will not: leases do not wait for it.
    for (let round = 0; round < 10; round++) {
      const renewed = await node.send(`${lease}/n1`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: { spec: { leaseTransitions: round } },
      });
      assert.equal(renewed.code, 200, renewed.text);
    }
    assert.equal(greedy.withCode(201), 0);

    const asked = [0, 1, 2].map((number) =>
      modest.send(configMaps, { body: { metadata: { name: `modest-${number}` } } }),
    );
    await eventually(async () => {
      assert.equal(
        await metric(admin, 'current_inqueue_requests', '"global-default",flow_schema="global-default"'),
        303,
      );
    });
    for (const number of greedy.numbers) greedy.finish(number);
    assert.deepEqual(
      (await Promise.all(asked)).map(({ code }) => code),
      [201, 201, 201],
    );
    await eventually(() => assert.equal(greedy.withCode(201), 303), 20_000);
    // Of seven queues one is theirs. What was written when is told by the store: answers travel on two connections.
    const { items } = (await admin.send(configMaps)).json as unknown as { items: Stored[] };
    const written = items
      .filter(({ metadata }) => /^(stuck|modest)-/.test(metadata.name))
      .sort((one, other) => Number(one.metadata.resourceVersion) - Number(other.metadata.resourceVersion))
      .map(({ metadata }) => metadata.name);
    assert.equal(written.length, 306);
    const places = [0, 1, 2].map((number) => written.indexOf(`modest-${number}`));
    assert.ok(Math.max(...places) < 50, `the modest client came at places ${places.join()} of 306`);
    greedy.close();
    assert.equal(await metric(admin, 'current_inqueue_requests', '"global-default",flow_schema="global-default"'), 0);
  });

  it('a request whose client has gone leaves its queue', async () => {
    const greedy = new StuckRequests(world.server, await world.server.certificateFor('greedy'));
    greedy.open(60);
    const waiting = (): Promise<number> =>
      metric(admin, 'current_inqueue_requests', '"global-default",flow_schema="global-default"');
    await eventually(async () => assert.ok((await waiting()) > 40));
    greedy.close();
    await eventually(async () => assert.equal(await waiting(), 0));
    await eventually(async () =>
      assert.equal(
        await metric(admin, 'current_executing_requests', '"global-default",flow_schema="global-default"'),
        0,
      ),
    );
  });

  it('tells what it does to those who may ask, and to nobody else', async () => {
    const path = '/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1';
    const watcher = await clientOf('watcher');
    const refused = await watcher.send(path);
    assert.equal(refused.code, 403);
    assert.equal(
      refused.json?.['message'],
      'forbidden: User "watcher" cannot get path "/debug/api_priority_and_fairness/dump_requests"',
    );
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [{ nonResourceURLs: ['/debug/api_priority_and_fairness/*'], verbs: ['get'] }];
    await admin.send(`${rbac}/clusterroles`, { body: { metadata: { name: 'dumps' }, rules } });
    await admin.send(`${rbac}/clusterrolebindings`, {
      body: {
        metadata: { name: 'dumps' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'dumps' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'watcher' }],
      },
    });
    const answer = await watcher.send(path);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    const [, ...rows] = answer.text.split('\n').map((line) => line.split(/, */));
    const [queue, place, flow, , seats] = rows.find(([level]) => level === 'global-default')?.slice(2) ?? [];
    assert.deepEqual([Number(queue) >= 0, place, flow, seats], [true, '-1', 'watcher', '1']);
    const own = (await admin.send(path)).text.split('\n').find((line) => line.startsWith('exempt'));
    const [, , , , , , , , , , ...details] = own?.split(/, */) ?? [];
    const asked = ['kubernetes-admin', 'get', '/debug/api_priority_and_fairness/dump_requests', '', '', '', '', ''];
    assert.deepEqual(details, asked);
    assert.equal((await admin.send('/debug/api_priority_and_fairness/other')).code, 404);
    assert.equal((await admin.send('/')).text.includes('/debug'), false);
  });

  it('a refusal says when to come back', async () => {
    const level = {
      metadata: { name: 'narrow' },
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } } },
    };
    const schema = {
      metadata: { name: 'narrow' },
      spec: {
        matchingPrecedence: 50,
        priorityLevelConfiguration: { name: 'narrow' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'greedy' } }],
            resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
          },
        ],
      },
    };
    assert.equal((await admin.send(`${group}/flowschemas`, { body: schema })).code, 201);
    const dangling = await eventually(async () => {
      const found = (await stored(`${group}/flowschemas/narrow`)).status?.conditions?.[0];
      assert.equal(found?.status, 'True');
      return found;
    });
    assert.equal(dangling?.reason, 'NotFound');
    const client = await clientOf('greedy');
    assert.deepEqual((await flowOf(await client.send(configMaps))).schema, 'global-default');
    assert.equal((await admin.send(`${group}/prioritylevelconfigurations`, { body: level })).code, 201);
    await eventually(async () => {
      const found = (await stored(`${group}/flowschemas/narrow`)).status?.conditions?.[0];
      assert.deepEqual([found?.status, found?.reason], ['False', 'Found']);
    });
    const stuck = new StuckRequests(world.server, await world.server.certificateFor('greedy'));
    stuck.open(1);
    await eventually(async () => assert.equal(await metric(admin, 'current_executing_requests', 'narrow'), 1));
    const refused = await client.send(configMaps);
    assert.equal(refused.code, 429);
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(refused.json?.['reason'], 'TooManyRequests');
    assert.deepEqual(await flowOf(refused), { schema: 'narrow', level: 'narrow' });
    assert.equal(await metric(admin, 'rejected_requests_total', 'narrow', 'concurrency-limit'), 1);
    stuck.finish(0);
    await eventually(async () => assert.equal((await client.send(configMaps)).code, 200));
    stuck.close();
  });

  it('a watch takes a seat only while it begins', async () => {
    const client = await clientOf('greedy');
    const watches = Array.from({ length: 5 }, () =>
      client.send(`${configMaps}?watch=true&timeoutSeconds=1&resourceVersion=1`),
    );
    await eventually(async () => {
      const { text } = await admin.send('/metrics');
      assert.match(text, /apiserver_longrunning_requests\{verb="WATCH",.*resource="configmaps".*\} 5\n/);
    });
    assert.equal((await client.send(configMaps)).code, 200);
    await clock.advance(1_000);
    for (const watch of await Promise.all(watches)) assert.equal(watch.code, 200);
  });
});
