import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const pods = '/api/v1/namespaces/default/pods';

describe('PodResizeValidator', () => {
  const { admin } = serverWorld();
  before(async () => {
    const allocatable = { cpu: '2', memory: '4Gi' };
    for (const [name, os] of Object.entries({ linux: 'linux', other: 'windows' })) {
      const labels = { 'kubernetes.io/os': os };
      await admin.send('/api/v1/nodes', { body: { metadata: { name, labels }, status: { allocatable } } });
    }
  });

  const make = async (name: string, nodeName?: string): Promise<void> => {
    const resources = { requests: { cpu: '1', memory: '1Gi' } };
    const spec = { containers: [{ name: 'c', image: 'i', resources }], ...(nodeName ? { nodeName } : {}) };
    const made = await admin.send(pods, { body: { metadata: { name }, spec } });
    assert.equal(made.code, 201, made.text);
  };
  const resize = (name: string, requests: object): Promise<RawAnswer> =>
    admin.send(`${pods}/${name}/resize`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: { spec: { containers: [{ name: 'c', resources: { requests } }] } },
    });
  const refused = async (answer: RawAnswer, why: string, reason?: string): Promise<void> => {
    assert.equal(answer.code, 403, answer.text);
    assert.equal(answer.json?.['message'], `pods "${nameOf(answer)}" is forbidden: ${why}`);
    const { causes } = answer.json['details'] as { causes?: object[] };
    assert.deepEqual(causes, reason === undefined ? undefined : [{ reason }]);
  };
  const nameOf = ({ json }: RawAnswer): string | undefined =>
    (json?.['details'] as { name?: string } | undefined)?.name;

  it('refuses what the node could never give, with the cause for autoscalers', async () => {
    await make('bound', 'linux');
    assert.equal((await resize('bound', { cpu: '2' })).code, 200);
    const why = "node didn't have enough allocatable resources:";
    await refused(
      await resize('bound', { cpu: '2001m' }),
      `${why} cpu, requested: 2001, allocatable: 2000`,
      'NodeCapacity',
    );
    const both = 'cpu, requested: 10000, allocatable: 2000; memory, requested: 10737418240, allocatable: 4294967296';
    await refused(await resize('bound', { cpu: '10', memory: '10Gi' }), `${why} ${both}`, 'NodeCapacity');
  });

  it('refuses pods of nodes that are no Linux, or not there', async () => {
    await make('foreign', 'other');
    const why = 'pod resize is only supported on linux nodes, node "other" is "windows"';
    await refused(await resize('foreign', { cpu: '2' }), why, 'UnsupportedPlatform');
    await make('lost', 'nowhere');
    await refused(await resize('lost', { cpu: '2' }), 'node "nowhere" not found');
    assert.equal((await resize('lost', { cpu: '1' })).code, 200);
  });

  it('has nothing to say of pods without a node', async () => {
    await make('free');
    assert.equal((await resize('free', { cpu: '64' })).code, 200);
  });
});
