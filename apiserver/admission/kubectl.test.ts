import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { serverWorld } from '../testing/server-world.js';
import { kubectlFor, type Kubectl, type KubectlResult } from '../wire/kubectl.js';

/** What people see of admission. */
describe('kubectl', () => {
  const world = serverWorld();
  let client: Kubectl;
  before(async () => {
    client = await kubectlFor(world.server.kubeconfigPath);
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  });
  after(async () => {
    await client.close();
  });

  const kubectl = (args: readonly string[]): Promise<KubectlResult> => client.run(...args);
  const apply = (object: object): Promise<KubectlResult> =>
    client.feed(JSON.stringify(object), 'apply', '--validate=false', '-f', '-');
  const pod = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'team' },
    spec: { containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] },
  });

  it('prints warnings of Pod Security, and its refusals', async () => {
    const label = (mode: string): Promise<KubectlResult> =>
      kubectl(['label', '--overwrite', 'namespace', 'team', `pod-security.kubernetes.io/${mode}=baseline`]);
    const why = 'privileged (container "c" must not set securityContext.privileged=true)';
    await label('warn');
    const warned = await apply(pod('a'));
    assert.equal(warned.stderr, `Warning: would violate PodSecurity "baseline:latest": ${why}\n`);
    assert.equal(warned.stdout, 'pod/a created\n');
    const tightened = await label('enforce');
    assert.equal(
      tightened.stderr,
      'Warning: existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"\nWarning: a: privileged\n',
    );
    const refused = await apply(pod('b'));
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /pods "b" is forbidden: violates PodSecurity "baseline:latest": privileged \(container "c"/,
    );
  });

  it('prints what a quota and a policy refuse', async () => {
    await kubectl(['create', 'quota', 'few', '--hard=count/configmaps=1', '-n', 'team']);
    assert.equal((await kubectl(['create', 'configmap', 'one', '-n', 'team'])).stdout, 'configmap/one created\n');
    assert.equal(
      (await kubectl(['create', 'configmap', 'two', '-n', 'team'])).stderr,
      'error: failed to create configmap: configmaps "two" is forbidden: exceeded quota: few, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1\n',
    );
    const api = { apiVersion: 'admissionregistration.k8s.io/v1' };
    await apply({
      ...api,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'secrets' },
      spec: {
        matchConstraints: {
          resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }],
        },
        validations: [{ expression: 'false', message: 'no secrets here', reason: 'Forbidden' }],
      },
    });
    await apply({
      ...api,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'all' },
      spec: { policyName: 'secrets', validationActions: ['Deny'] },
    });
    assert.equal(
      (await kubectl(['create', 'secret', 'generic', 's', '-n', 'team'])).stderr,
      `error: failed to create secret secrets "s" is forbidden: ValidatingAdmissionPolicy 'secrets' with binding 'all' denied request: no secrets here\n`,
    );
    const { stdout } = await kubectl(['get', 'validatingadmissionpolicies,validatingadmissionpolicybindings']);
    assert.match(stdout, /NAME +VALIDATIONS +PARAMKIND +AGE\n\S+\/secrets +1 +<unset>/);
    assert.match(stdout, /NAME +POLICYNAME +PARAMREF +AGE\n\S+\/all +secrets +<unset>/);
  });
});
