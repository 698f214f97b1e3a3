import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

type Json = Record<string, unknown>;
const pods = '/api/v1/namespaces/default/pods';
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

describe('parts of a pod', () => {
  const { admin } = serverWorld();

  const patch = (path: string, body: unknown): Promise<RawAnswer> =>
    admin.send(path, {
      method: 'PATCH',
      body,
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    });
  const run = async (name: string, app: string, isReady = true): Promise<void> => {
    const resources = { requests: { cpu: '100m', memory: '1Gi' } };
    const spec = { containers: [{ name: 'c', image: 'i', resources }] };
    await admin.send(pods, { body: { metadata: { name, labels: { app } }, spec } });
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    await patch(`${pods}/${name}/status`, { status: { phase: 'Running', conditions } });
  };
  const budget = async (name: string, app: string, status: Json, spec: Json = {}): Promise<void> => {
    const selector = { matchLabels: { app } };
    await admin.send(budgets, { body: { metadata: { name }, spec: { minAvailable: 1, selector, ...spec } } });
    await patch(`${budgets}/${name}/status`, { status: { observedGeneration: 1, ...status } });
  };
  const evict = (name: string, more: Json = {}, apiVersion = 'policy/v1'): Promise<RawAnswer> =>
    admin.send(`${pods}/${name}/eviction`, { body: { apiVersion, kind: 'Eviction', metadata: { name }, ...more } });
  const causeOf = ({ json }: RawAnswer): Json | undefined => (json?.['details'] as { causes?: Json[] })?.causes?.[0];

  it('goes where no budget guards the pod, also by the older version', async () => {
    await run('free', 'free');
    assert.equal((await evict('free', {}, 'policy/v1beta1')).code, 201);
    assert.equal((await admin.send(`${pods}/free`)).code, 404);
  });

  it('goes as long as the budget allows it, and is then told to come back', async () => {
    await run('one', 'web');
    await run('two', 'web');
    await budget('web', 'web', { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 });
    assert.equal((await evict('one', { deleteOptions: { dryRun: ['All'] } })).code, 201);
    assert.equal((await evict('one')).code, 201);
    const { status } = (await admin.send(`${budgets}/web`)).json as { status: Json };
    assert.equal(status['disruptionsAllowed'], 0);
    assert.deepEqual(Object.keys(status['disruptedPods'] as Json), ['one']);
    const refused = await evict('two');
    assert.equal(refused.code, 429);
    assert.equal(refused.json?.['message'], "Cannot evict pod as it would violate the pod's disruption budget.");
    assert.deepEqual(causeOf(refused), {
      reason: 'DisruptionBudget',
      message: 'The disruption budget web needs 1 healthy pods and has 2 currently',
    });
    assert.equal((await admin.send(`${pods}/two`)).code, 200);
  });

  it('waits for a budget that nobody has looked at yet, and refuses where two budgets guard the pod', async () => {
    await run('new', 'new');
    await budget('new', 'new', { observedGeneration: 0, disruptionsAllowed: 1 });
    const early = await evict('new');
    assert.equal(early.code, 429);
    const { details } = early.json as { details: Json };
    assert.equal(details['retryAfterSeconds'], 10);
    await budget('other', 'new', { disruptionsAllowed: 1 });
    assert.equal((await evict('new')).code, 500);
  });

  it('takes a pod that is not healthy only where its budget says so', async () => {
    await run('sick', 'sick', false);
    await budget('sick', 'sick', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 });
    assert.equal((await evict('sick')).code, 429);
    await patch(`${budgets}/sick`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } });
    assert.equal((await evict('sick')).code, 201);
  });

  it('tells in its status that it is evicted, and a pod that has not started yet may always go', async () => {
    const spec = { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }] };
    await admin.send(pods, { body: { metadata: { name: 'slow', labels: { app: 'slow' } }, spec } });
    await budget('slow', 'slow', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 });
    const conditions = async (): Promise<Json[]> =>
      ((await admin.send(`${pods}/slow`)).json?.['status'] as { conditions?: Json[] } | undefined)?.conditions ?? [];
    assert.equal((await evict('slow', { deleteOptions: { dryRun: ['All'] } })).code, 201);
    assert.ok(!(await conditions()).some(({ type }) => type === 'DisruptionTarget'));
    assert.equal((await evict('slow', { deleteOptions: { preconditions: { uid: 'another' } } })).code, 409);
    assert.equal((await evict('slow')).code, 201);
    const found = (await conditions()).find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual(
      [found?.['status'], found?.['reason'], found?.['message']],
      ['True', 'EvictionByEvictionAPI', 'Eviction API: evicting'],
    );
    const { metadata } = (await admin.send(`${pods}/slow`)).json as { metadata: Json };
    assert.ok(metadata['deletionTimestamp']);
  });

  it('adds ephemeral containers and lets none be changed', async () => {
    await run('debugged', 'd');
    const path = `${pods}/debugged/ephemeralcontainers`;
    const shell = { name: 'shell', image: 'sh' };
    const added = await patch(path, { spec: { ephemeralContainers: [shell] } });
    assert.equal(added.code, 200, added.text);
    assert.equal((added.json as { metadata: { generation: number } }).metadata.generation, 2);
    const changed = await patch(path, { spec: { ephemeralContainers: [{ ...shell, image: 'other' }] } });
    assert.equal(changed.code, 422);
    assert.match(changed.text, /existing ephemeral containers \\"shell\\" may not be changed/);
  });

  it('resizes CPU and memory and nothing else', async () => {
    await run('sized', 's');
    const path = `${pods}/sized/resize`;
    const resize = (resources: Json): Promise<RawAnswer> =>
      patch(path, { spec: { containers: [{ name: 'c', resources }] } });
    const grown = await resize({ requests: { cpu: '200m' } });
    assert.equal(grown.code, 200, grown.text);
    assert.equal((grown.json as { metadata: { generation: number } }).metadata.generation, 2);
    const refusals: [Json, RegExp][] = [
      [{ requests: { cpu: null } }, /resource requests cannot be removed/],
      [{ requests: { 'ephemeral-storage': '1Gi' } }, /only cpu and memory resources are mutable/],
      [
        { limits: { cpu: '200m', memory: '1Gi' } },
        /metadata: Invalid value: \\"Guaranteed\\": Pod QOS Class may not change as a result of resizing/,
      ],
    ];
    for (const [resources, message] of refusals) {
      const refused = await resize(resources);
      assert.equal(refused.code, 422, refused.text);
      assert.match(refused.text, message);
    }
  });
});
