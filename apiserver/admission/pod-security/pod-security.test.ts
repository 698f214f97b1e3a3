import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawAnswer } from '../../testing/raw-client.js';
import { serverWorld } from '../../testing/server-world.js';

const prefix = 'pod-security.kubernetes.io/';

describe('PodSecurity', () => {
  const { admin } = serverWorld();

  const makeNamespace = (name: string, modes: Record<string, string>): Promise<RawAnswer> => {
    const labels = Object.fromEntries(Object.entries(modes).map(([mode, level]) => [`${prefix}${mode}`, level]));
    return admin.send('/api/v1/namespaces', { body: { metadata: { name, labels } } });
  };
  const spec = { containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] };
  const makePod = (namespace: string, name: string): Promise<RawAnswer> =>
    admin.send(`/api/v1/namespaces/${namespace}/pods`, { body: { metadata: { name }, spec } });
  const why = 'privileged (container "c" must not set securityContext.privileged=true)';

  it('refuses pods that break the enforced level', async () => {
    await makeNamespace('enforced', { enforce: 'baseline' });
    const answer = await makePod('enforced', 'p');
    assert.equal(answer.code, 403);
    assert.equal(answer.json?.['message'], `pods "p" is forbidden: violates PodSecurity "baseline:latest": ${why}`);
    assert.equal(answer.json?.['reason'], 'Forbidden');
  });

  it('warns of pods and of what makes them, and refuses neither', async () => {
    await makeNamespace('warned', { warn: 'baseline', 'warn-version': 'v1.30', enforce: 'privileged' });
    const text = `would violate PodSecurity "baseline:v1.30": ${why}`;
    const escaped = `299 - "${text.replaceAll('"', '\\"')}"`;
    const pod = await makePod('warned', 'p');
    assert.equal(pod.code, 201);
    assert.equal(pod.headers['warning'], escaped);
    const deployment = await admin.send('/apis/apps/v1/namespaces/warned/deployments', {
      body: {
        metadata: { name: 'd' },
        spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec } },
      },
    });
    assert.equal(deployment.code, 201);
    assert.equal(deployment.headers['warning'], escaped);
  });

  it('does not refuse what makes pods, only the pods', async () => {
    const deployment = await admin.send('/apis/apps/v1/namespaces/enforced/deployments', {
      body: {
        metadata: { name: 'd' },
        spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec } },
      },
    });
    assert.equal(deployment.code, 201);
    assert.equal(deployment.headers['warning'], undefined);
  });

  it('refuses labels that name no level and no version', async () => {
    const answer = await makeNamespace('wrong', { enforce: 'strict', 'warn-version': '1.30' });
    assert.equal(answer.code, 422);
    assert.equal(
      answer.json?.['message'],
      `Namespace "wrong" is invalid: [metadata.labels[${prefix}enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[${prefix}warn-version]: Invalid value: "1.30": must be "latest" or "v1.x"]`,
    );
  });

  it('tells which pods break a level that is tightened', async () => {
    await makeNamespace('tightened', {});
    for (const name of ['b', 'a', 'c']) assert.equal((await makePod('tightened', name)).code, 201);
    const answer = await admin.send('/api/v1/namespaces/tightened', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { labels: { [`${prefix}enforce`]: 'baseline' } } },
    });
    assert.equal(answer.code, 200);
    assert.equal(
      answer.headers['warning'],
      '299 - "existing pods in namespace \\"tightened\\" violate the new PodSecurity enforce level \\"baseline:latest\\"", 299 - "a (and 2 other pods): privileged"',
    );
  });

  it('counts what it has decided, by policy and by what was asked', async () => {
    const counted = async (name: string, labels: string): Promise<number> => {
      const { text } = await admin.send('/metrics');
      const line = text.split('\n').find((one) => one.startsWith(`pod_security_${name}_total{${labels}}`));
      return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
    };
    await makeNamespace('counted', { enforce: 'baseline', 'enforce-version': 'v1.30', audit: 'restricted' });
    const request = 'request_operation="create",resource="pod",subresource=""';
    const policy = 'policy_level="baseline",policy_version="v1.30",mode="enforce"';
    await makePod('counted', 'p');
    assert.equal(await counted('evaluations', `decision="deny",${policy},${request}`), 1);
    const audited = 'policy_level="restricted",policy_version="latest",mode="audit"';
    assert.equal(await counted('evaluations', `decision="deny",${audited},${request}`), 1);
    const open = 'decision="allow",policy_level="privileged",policy_version="latest",mode="enforce"';
    const before = await counted('evaluations', `${open},${request}`);
    await makeNamespace('open', {});
    await makePod('open', 'p');
    assert.equal(await counted('evaluations', `${open},${request}`), before + 1);
    assert.equal(await counted('exemptions', request), 0);
  });

  it('lets a pod that is there already be labelled, and get no other image', async () => {
    const patch = (body: object): Promise<RawAnswer> =>
      admin.send('/api/v1/namespaces/tightened/pods/a', {
        method: 'PATCH',
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
        body,
      });
    assert.equal((await patch({ metadata: { labels: { x: 'y' } } })).code, 200);
    assert.equal((await patch({ spec: { containers: [{ name: 'c', image: 'other' }] } })).code, 403);
  });
});
