import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../../shared/clock/clock.js';
import { createCertificateAuthority, issueCertificate, type KeyPair } from '../../../shared/pki/certificate.js';
import { AuditRecorder } from '../../audit/testing.js';
import { RawClient, type RawAnswer } from '../../testing/raw-client.js';
import { startTestServer, type TestServer } from '../../testing/test-server.js';
import { userFor } from '../webhook/webhook-credentials.js';
import { loadAdmissionConfiguration } from './admission-configuration.js';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knarr-admission-'));
});
after(() => rm(directory, { recursive: true, force: true }));

const write = async (name: string, content: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
};
const header = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n';

describe('an AdmissionConfiguration that is wrong', () => {
  const podSecurity = (text: string): string =>
    `plugins: [{name: PodSecurity, configuration: {apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, ${text}}}]`;
  const hook = (text: string): string =>
    `plugins: [{name: MutatingAdmissionWebhook, configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, ${text}}}]`;
  const wrong: readonly (readonly [content: string, why: string])[] = [
    ['plugins: 1', 'plugins: must be a list'],
    ['plugin: []', 'strict decoding error: unknown field "plugin"'],
    ['plugins: [{}]', 'plugins[0].name: Required value'],
    [
      'plugins: [{name: EventRateLimit}]',
      'plugins[0].name: Unsupported value: "EventRateLimit": supported values: "MutatingAdmissionWebhook", "PodSecurity", "ResourceQuota", "ValidatingAdmissionWebhook"',
    ],
    [
      'plugins: [{name: PodSecurity, configuration: {apiVersion: v1, kind: Pod}}]',
      'plugins[0].configuration is not of apiVersion pod-security.admission.config.k8s.io/v1 and kind PodSecurityConfiguration',
    ],
    [
      podSecurity('defaults: {enforce: hard}'),
      'plugins[0].configuration.defaults.enforce: Invalid value: "hard": must be one of privileged, baseline, restricted',
    ],
    [
      podSecurity('defaults: {warn-version: "1.2"}, exemptions: {usernames: [a, a], namespaces: [A_b]}'),
      '[plugins[0].configuration.defaults.warn-version: Invalid value: "1.2": must be "latest" or "v1.x", ' +
        'plugins[0].configuration.exemptions.namespaces[0]: Invalid value: "A_b": a lowercase RFC 1123 label must consist of ' +
        "lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', " +
        " or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), " +
        'plugins[0].configuration.exemptions.usernames[1]: Duplicate value: "a"]',
    ],
    [
      'plugins: [{name: ResourceQuota, configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: ResourceQuotaConfiguration, limitedResources: [{}]}}]',
      'plugins[0].configuration.limitedResources[0].resource: Required value',
    ],
    [
      hook('kubeConfigFile: relative.conf'),
      'plugins[0].configuration.kubeConfigFile: Invalid value: "relative.conf": must be an absolute path',
    ],
  ];
  for (const [content, why] of wrong) {
    it(`is told by its file and place: ${why.slice(0, 60)}`, async () => {
      const file = await write('wrong.yaml', header + content);
      await assert.rejects(loadAdmissionConfiguration(file, systemClock), { message: `${file}: ${why}` });
    });
  }

  it('names the other file where the configuration of a plugin stands in one', async () => {
    const other = await write('quota.yaml', 'apiVersion: apiserver.config.k8s.io/v1\nkind: Other\n');
    const file = await write('outer.yaml', `${header}plugins: [{name: ResourceQuota, path: quota.yaml}]`);
    await assert.rejects(loadAdmissionConfiguration(file, systemClock), {
      message: `${other}: it is not of apiVersion apiserver.config.k8s.io/v1 and kind ResourceQuotaConfiguration`,
    });
    const missing = await write('missing.yaml', `${header}plugins: [{name: PodSecurity, path: none.yaml}]`);
    await assert.rejects(loadAdmissionConfiguration(missing, systemClock), {
      message: `${join(directory, 'none.yaml')}: no such file`,
    });
    const kubeconfig = await write('hooks.yaml', header + hook('kubeConfigFile: /nowhere/hooks.conf'));
    await assert.rejects(loadAdmissionConfiguration(kubeconfig, systemClock), {
      message: 'kubeconfig /nowhere/hooks.conf: no such file',
    });
    await assert.rejects(loadAdmissionConfiguration('/nowhere/admission.yaml', systemClock), {
      message: '/nowhere/admission.yaml: no such file',
    });
  });
});

describe('an AdmissionConfiguration', () => {
  let server: TestServer;
  let admin: RawClient;
  const audit = new AuditRecorder();
  let hook: Server;
  let ca: KeyPair;
  const seen: { user: string | undefined; authorization: string | undefined }[] = [];

  const startHook = async (validity: { notBefore: Date; notAfter: Date }): Promise<void> => {
    const { certificate: cert, key } = await issueCertificate(ca, {
      subject: { commonName: 'hook' },
      usages: ['server'],
      ipAddresses: ['127.0.0.1'],
      ...validity,
    });
    hook = createServer(
      { cert, key, ca: ca.certificate, requestCert: true, rejectUnauthorized: false },
      (asked, answer) => {
        const { CN } = ((asked.socket as TLSSocket).getPeerCertificate().subject ?? {}) as { CN?: string };
        seen.push({ user: CN, authorization: asked.headers.authorization });
        let text = '';
        asked.on('data', (chunk: Buffer) => (text += chunk.toString()));
        asked.on('end', () => {
          const { apiVersion, request } = JSON.parse(text) as { apiVersion: string; request: { uid: string } };
          answer.end(
            JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, allowed: true } }),
          );
        });
      },
    );
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  };
  before(async () => {
    const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) };
    ca = await createCertificateAuthority({ subject: { commonName: 'hooks' }, ...validity });
    await startHook(validity);
    const own = await issueCertificate(ca, {
      subject: { commonName: 'the-apiserver' },
      usages: ['client'],
      ...validity,
    });
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const users = [
      {
        name: `127.0.0.1:${(hook.address() as AddressInfo).port}`,
        user: {
          'client-certificate-data': base64(own.certificate),
          'client-key-data': base64(own.key),
          token: 'from-the-file',
        },
      },
    ];
    const kubeconfig = await write('hooks.conf', JSON.stringify({ apiVersion: 'v1', kind: 'Config', users }));
    await write(
      'quota-by-path.yaml',
      `apiVersion: apiserver.config.k8s.io/v1
kind: ResourceQuotaConfiguration
limitedResources:
- resource: pods
  matchScopes:
  - {scopeName: PriorityClass, operator: In, values: [cluster-services]}
- resource: persistentvolumeclaims
  matchContains: [gold.storageclass.storage.k8s.io/requests.storage]
`,
    );
    const file = await write(
      'admission.yaml',
      `${header}plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline, enforce-version: latest, warn: restricted}
    exemptions:
      usernames: [trusted]
      namespaces: [open]
      runtimeClasses: [sandboxed]
- name: ResourceQuota
  path: quota-by-path.yaml
- name: ValidatingAdmissionWebhook
  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, kubeConfigFile: ${kubeconfig}}
`,
    );
    server = await startTestServer({
      admissionConfiguration: await loadAdmissionConfiguration(file, systemClock),
      identity: { audit: { policy: audit.policy, sink: audit } },
    });
    admin = new RawClient(server, server.admin);
    await admin.send('/api/v1/namespaces', { body: { metadata: { name: 'plain' } } });
    await admin.send('/apis/node.k8s.io/v1/runtimeclasses', {
      body: { metadata: { name: 'sandboxed' }, handler: 'h' },
    });
    await admin.send('/apis/scheduling.k8s.io/v1/priorityclasses', {
      body: { metadata: { name: 'cluster-services' }, value: 10 },
    });
  });
  after(async () => {
    admin.close();
    await server.close();
    hook.close();
    hook.closeAllConnections();
  });

  const privileged = { containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] };
  const hardened = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      { name: 'c', image: 'i', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
    ],
  };
  const makePod = (namespace: string, name: string, spec: object, client = admin): Promise<RawAnswer> =>
    client.send(`/api/v1/namespaces/${namespace}/pods`, { body: { metadata: { name }, spec } });

  it('gives namespaces without labels the Pod Security levels of its defaults', async () => {
    const refused = await makePod('plain', 'a', privileged);
    assert.equal(refused.code, 403);
    assert.match(String(refused.json?.['message']), /violates PodSecurity "baseline:latest": privileged/);
    const warned = await makePod('plain', 'b', { containers: [{ name: 'c', image: 'i' }] });
    assert.equal(warned.code, 201);
    assert.match(String(warned.headers['warning']), /would violate PodSecurity \\"restricted:latest\\"/);
    await admin.send('/api/v1/namespaces', {
      body: { metadata: { name: 'labelled', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
    });
    assert.equal((await makePod('labelled', 'a', privileged)).code, 201);
  });

  it('exempts namespaces, users and runtime classes, and notes which of them it was', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const made = await admin.send('/api/v1/namespaces', { body: { metadata: { name: 'open', labels } } });
    assert.equal(
      made.headers['warning'],
      '299 - "namespace \\"open\\" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored"',
    );
    const trusted = new RawClient(server, await server.certificateFor('trusted', ['system:masters']));
    const answers = [
      await makePod('open', 'by-namespace', privileged),
      await makePod('plain', 'by-user', privileged, trusted),
      await makePod('plain', 'by-class', { ...privileged, runtimeClassName: 'sandboxed' }),
    ];
    trusted.close();
    assert.deepEqual(
      answers.map(({ code, headers }) => [code, headers['warning']]),
      [
        [201, undefined],
        [201, undefined],
        [201, undefined],
      ],
    );
    const events = await Promise.all(['by-namespace', 'by-user', 'by-class'].map((name) => audit.of('create', name)));
    const grounds = events.map(({ annotations }) => annotations?.['pod-security.kubernetes.io/exempt']);
    assert.deepEqual(grounds, ['namespace', 'user', 'runtimeClass']);
  });

  it('lets nothing be consumed that no quota is about, where it limits that', async () => {
    const critical = { ...hardened, priorityClassName: 'cluster-services' };
    const refused = await makePod('plain', 'critical', critical);
    assert.equal(refused.code, 403);
    assert.equal(
      refused.json?.['message'],
      'pods "critical" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [cluster-services]}]',
    );
    assert.equal((await makePod('plain', 'ordinary', hardened)).code, 201);
    await admin.send('/api/v1/namespaces/plain/resourcequotas', {
      body: {
        metadata: { name: 'critical' },
        spec: {
          hard: { pods: '1' },
          scopeSelector: {
            matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['cluster-services'] }],
          },
        },
      },
    });
    assert.equal((await makePod('plain', 'critical', critical)).code, 201);
    assert.match(
      String((await makePod('plain', 'critical-2', critical)).json?.['message']),
      /exceeded quota: critical/,
    );
    const claim = (name: string): Promise<RawAnswer> =>
      admin.send('/api/v1/namespaces/plain/persistentvolumeclaims', {
        body: {
          metadata: { name },
          spec: { storageClassName: name, accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      });
    assert.equal(
      (await claim('gold')).json?.['message'],
      'persistentvolumeclaims "gold" is forbidden: insufficient quota to consume: gold.storageclass.storage.k8s.io/requests.storage',
    );
    assert.equal((await claim('silver')).code, 201);
    await admin.send('/api/v1/namespaces/plain/resourcequotas', {
      body: {
        metadata: { name: 'gold' },
        spec: { hard: { 'gold.storageclass.storage.k8s.io/requests.storage': '5Gi' } },
      },
    });
    assert.equal((await claim('gold')).code, 201);
  });

  it('shows webhooks the credentials of its kubeconfig, those of that kind and no others', async () => {
    const url = `https://127.0.0.1:${(hook.address() as AddressInfo).port}`;
    const configure = (kind: string, name: string): Promise<RawAnswer> =>
      admin.send(`/apis/admissionregistration.k8s.io/v1/${kind}`, {
        body: {
          metadata: { name },
          webhooks: [
            {
              name: `${name}.example.com`,
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              clientConfig: { url, caBundle: Buffer.from(ca.certificate).toString('base64') },
              rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['*'], resources: ['configmaps'] }],
            },
          ],
        },
      });
    await configure('mutatingwebhookconfigurations', 'changing');
    await configure('validatingwebhookconfigurations', 'judging');
    const made = await admin.send('/api/v1/namespaces/plain/configmaps', { body: { metadata: { name: 'c' } } });
    assert.equal(made.code, 201, made.text);
    assert.deepEqual(seen, [
      { user: undefined, authorization: undefined },
      { user: 'the-apiserver', authorization: 'Bearer from-the-file' },
    ]);
  });
});

it('the user of a webhook is the one of its name, else of the nearest domain, else the one for all', () => {
  const names = new Set(['a.b.svc', '*.b.svc:8443', '*.svc', 'x.example.com:443', '*']);
  const found = (authority: string): string | undefined => userFor(authority, (name) => names.has(name));
  assert.equal(found('a.b.svc:443'), 'a.b.svc');
  assert.equal(found('a.b.svc:8443'), '*.b.svc:8443');
  assert.equal(found('c.d.svc:443'), '*.svc');
  assert.equal(found('c.d.svc:9443'), '*');
  assert.equal(found('x.example.com:443'), 'x.example.com:443');
  assert.equal(
    userFor('a:443', () => false),
    undefined,
  );
});
