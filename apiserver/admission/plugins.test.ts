import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod } from '../../shared/api/generated/types.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

describe('admission', () => {
  const { admin } = serverWorld({ disabledAdmission: [] });
  const core = '/api/v1/namespaces/default';
  const makePod = (name: string, spec: object = {}): Promise<RawAnswer> =>
    admin.send(`${core}/pods`, {
      body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } },
    });
  const asPod = ({ json }: RawAnswer): Pod => json as unknown as Pod;

  it('refuses a pod whose account is not there yet, and gives it a token when it is', async () => {
    const early = await makePod('early');
    assert.equal(early.code, 403);
    assert.equal(
      early.json?.['message'],
      'pods "early" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
    );
    const pull = { imagePullSecrets: [{ name: 'registry' }] };
    await admin.send(`${core}/serviceaccounts`, { body: { metadata: { name: 'default' }, ...pull } });
    const { spec } = asPod(await makePod('late'));
    assert.equal(spec.serviceAccountName, 'default');
    assert.deepEqual(spec.imagePullSecrets, [{ name: 'registry' }]);
    const [volume] = spec.volumes ?? [];
    assert.match(volume?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/);
    assert.deepEqual(
      volume?.projected?.sources?.map((source) => Object.keys(source)[0]),
      ['serviceAccountToken', 'configMap', 'downwardAPI'],
    );
    const [mount] = spec.containers[0]?.volumeMounts ?? [];
    assert.equal(mount?.name, volume?.name);
    assert.equal(mount?.mountPath, '/var/run/secrets/kubernetes.io/serviceaccount');
    const declined = asPod(await makePod('declined', { automountServiceAccountToken: false }));
    assert.deepEqual(declined.spec.volumes ?? [], []);
  });

  it('turns the name of a priority class into a number', async () => {
    const plain = asPod(await makePod('plain'));
    assert.equal(plain.spec.priority, 0);
    assert.equal(plain.spec.preemptionPolicy, 'PreemptLowerPriority');
    const critical = asPod(await makePod('critical', { priorityClassName: 'system-node-critical' }));
    assert.equal(critical.spec.priority, 2_000_001_000);
    const unknown = await makePod('unknown', { priorityClassName: 'nope' });
    assert.equal(unknown.json?.['message'], 'pods "unknown" is forbidden: no PriorityClass with name nope was found');
    assert.equal((await makePod('claims', { priority: 7 })).code, 403);
  });

  it('lets pods stay five minutes on a silent node, unless they say otherwise', async () => {
    const { spec } = asPod(await makePod('tolerant'));
    assert.deepEqual(
      spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
      [
        ['node.kubernetes.io/not-ready', 300],
        ['node.kubernetes.io/unreachable', 300],
      ],
    );
    const own = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 5,
    };
    const chosen = asPod(await makePod('chosen', { tolerations: [own] }));
    assert.equal(chosen.spec.tolerations?.length, 2);
  });

  it('lets nothing be created where there is no namespace', async () => {
    const answer = await admin.send('/api/v1/namespaces/nowhere/configmaps', { body: { metadata: { name: 'x' } } });
    assert.equal(answer.code, 404);
    assert.equal(answer.json?.['message'], 'namespaces "nowhere" not found');
  });
});
