import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../testing/test-server.js';

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What people see of admission. */
describe('kubectl', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  });
  after(() => server.close());

  const kubectl = (args: readonly string[], input = ''): Promise<Run> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, KUBECONFIG: server.kubeconfigPath, HOME: '/nonexistent' };
      const child = spawn('kubectl', args, { env });
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.end(input);
    });
  const apply = (object: object): Promise<Run> =>
    kubectl(['apply', '--validate=false', '-f', '-'], JSON.stringify(object));
  const pod = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'team' },
    spec: { containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] },
  });

  it('prints warnings of Pod Security, and its refusals', async () => {
    const label = (mode: string): Promise<Run> =>
      kubectl(['label', '--overwrite', 'namespace', 'team', `pod-security.kubernetes.io/${mode}=baseline`]);
    const why = 'privileged (container "c" must not set securityContext.privileged=true)';
    await label('warn');
    const warned = await apply(pod('a'));
    assert.equal(warned.err, `Warning: would violate PodSecurity "baseline:latest": ${why}\n`);
    assert.equal(warned.out, 'pod/a created\n');
    const tightened = await label('enforce');
    assert.equal(
      tightened.err,
      'Warning: existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"\nWarning: a: privileged\n',
    );
    const refused = await apply(pod('b'));
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /pods "b" is forbidden: violates PodSecurity "baseline:latest": privileged \(container "c"/,
    );
  });

  it('prints what a quota and a policy refuse', async () => {
    await kubectl(['create', 'quota', 'few', '--hard=count/configmaps=1', '-n', 'team']);
    assert.equal((await kubectl(['create', 'configmap', 'one', '-n', 'team'])).out, 'configmap/one created\n');
    assert.equal(
      (await kubectl(['create', 'configmap', 'two', '-n', 'team'])).err,
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
      (await kubectl(['create', 'secret', 'generic', 's', '-n', 'team'])).err,
      `error: failed to create secret secrets "s" is forbidden: ValidatingAdmissionPolicy 'secrets' with binding 'all' denied request: no secrets here\n`,
    );
    const { out } = await kubectl(['get', 'validatingadmissionpolicies,validatingadmissionpolicybindings']);
    assert.match(out, /NAME +VALIDATIONS +PARAMKIND +AGE\n\S+\/secrets +1 +<unset>/);
    assert.match(out, /NAME +POLICYNAME +PARAMREF +AGE\n\S+\/all +secrets +<unset>/);
  });
});
