import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../../shared/clock/eventually.js';
import { createSigningRequest } from '../../../shared/pki/certificate.js';
import { RawClient, type RawAnswer } from '../../testing/raw-client.js';
import { startTestServer, type TestServer } from '../../testing/test-server.js';

type Json = Record<string, unknown>;

const specOf = ({ json }: RawAnswer): Json => (json as { spec: Json }).spec;
const firstOf = (value: unknown): Json => (value as Json[])[0] ?? {};

/** Kinds about the server itself, in versions before v1. */
describe('before v1', () => {
  let server: TestServer;
  let admin: RawClient;
  before(async () => {
    server = await startTestServer();
    admin = new RawClient(server, server.admin);
  });
  after(async () => {
    admin.close();
    await server.close();
  });
  const made = async (path: string, body: Json): Promise<RawAnswer> => {
    const answer = await admin.send(`${path}?fieldValidation=Strict`, { body });
    assert.equal(answer.code, 201, answer.text);
    return answer;
  };

  it('a webhook that falls silent is passed over, and its configuration stays writable in v1', async () => {
    const webhook = { name: 'a.example.com', clientConfig: { service: { name: 's', namespace: 'default' } } };
    const path = (version: string): string =>
      `/apis/admissionregistration.k8s.io/${version}/validatingwebhookconfigurations`;
    const body = { metadata: { name: 'old' }, webhooks: [webhook] };
    await made(path('v1beta1'), body);
    const stored = await admin.send(`${path('v1')}/old`);
    assert.deepEqual(firstOf(stored.json?.['webhooks']), {
      ...webhook,
      clientConfig: { service: { ...webhook.clientConfig.service, port: 443 } },
      admissionReviewVersions: ['v1beta1'],
      failurePolicy: 'Ignore',
      matchPolicy: 'Exact',
      namespaceSelector: {},
      objectSelector: {},
      sideEffects: 'Unknown',
      timeoutSeconds: 30,
    });
    const updated = await admin.send(`${path('v1')}/old`, { method: 'PUT', body: stored.json });
    assert.equal(updated.code, 200, updated.text);
    const unknown = { ...webhook, sideEffects: 'Unknown', admissionReviewVersions: ['v1'] };
    const refused = await admin.send(path('v1'), { body: { metadata: { name: 'new' }, webhooks: [unknown] } });
    assert.equal(refused.code, 422);
    assert.match(refused.text, /supported values: \\"None\\", \\"NoneOnDryRun\\"/);
    const odd = { ...unknown, sideEffects: 'Loud' };
    const nonsense = await admin.send(path('v1beta1'), { body: { metadata: { name: 'x' }, webhooks: [odd] } });
    assert.match(nonsense.text, /\\"None\\", \\"NoneOnDryRun\\", \\"Some\\", \\"Unknown\\"/);
  });

  const definitions = (version: string): string => `/apis/apiextensions.k8s.io/${version}/customresourcedefinitions`;
  const definition = (plural: string, kind: string, more: Json): Json => ({
    metadata: { name: `${plural}.example.com` },
    spec: { group: 'example.com', names: { plural, kind }, scope: 'Namespaced', version: 'v1', ...more },
  });
  const served = (plural: string): Promise<RawAnswer> =>
    eventually(async () => {
      const answer = await admin.send(`/apis/example.com/v1/namespaces/default/${plural}`);
      assert.equal(answer.code, 200);
      return answer;
    });
  const schema = { properties: { spec: { properties: { cron: { type: 'string' } }, required: ['cron'] } } };

  it('a definition need not be structural, says so, validates, and its instances keep what no schema names', async () => {
    const columns = [{ name: 'Cron', type: 'string', JSONPath: '.spec.cron' }];
    const body = definition('crontabs', 'CronTab', {
      validation: { openAPIV3Schema: schema },
      additionalPrinterColumns: columns,
    });
    await made(definitions('v1beta1'), body);
    await served('crontabs');
    const collection = '/apis/example.com/v1/namespaces/default/crontabs';
    const wrong = await admin.send(collection, {
      body: { metadata: { name: 'w' }, kind: 'CronTab', apiVersion: 'example.com/v1', spec: { cron: 5 } },
    });
    assert.equal(wrong.code, 422, wrong.text);
    const spec = { cron: '* * *', more: { deep: 1 } };
    const good = await made(collection, {
      metadata: { name: 'g' },
      kind: 'CronTab',
      apiVersion: 'example.com/v1',
      spec,
    });
    assert.deepEqual(specOf(good), spec);
    const table = await admin.send(collection, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
    assert.deepEqual(firstOf(table.json?.['rows'])['cells'], ['g', '* * *']);

    const { status } = (await admin.send(`${definitions('v1')}/crontabs.example.com`)).json as { status: Json };
    const violation = (status['conditions'] as Json[]).find(({ type }) => type === 'NonStructuralSchema');
    assert.equal(violation?.['status'], 'True');
    assert.match(String(violation['message']), /openAPIV3Schema.type: Required value: must not be empty at the root/);

    const shown = specOf(await admin.send(`${definitions('v1beta1')}/crontabs.example.com`));
    assert.equal(shown['version'], 'v1');
    assert.equal(shown['preserveUnknownFields'], true);
    assert.deepEqual(shown['validation'], { openAPIV3Schema: schema });
    assert.deepEqual(shown['additionalPrinterColumns'], columns);
    assert.deepEqual(shown['versions'], [{ name: 'v1', served: true, storage: true }]);
  });

  it('a definition with versions, a webhook and a structure is one of v1 all the same', async () => {
    const structural = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
    };
    const spec = {
      preserveUnknownFields: false,
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: structural } },
        { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
      conversion: { strategy: 'Webhook', webhookClientConfig: { url: 'https://localhost/convert' } },
    };
    const answer = await made(definitions('v1beta1'), definition('wheels', 'Wheel', spec));
    assert.equal(specOf(answer)['validation'], undefined, 'the versions differ');
    const stored = specOf(await admin.send(`${definitions('v1')}/wheels.example.com`));
    assert.deepEqual(stored['versions'], spec.versions);
    assert.equal(stored['preserveUnknownFields'], undefined);
    assert.deepEqual(stored['conversion'], {
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'https://localhost/convert' }, conversionReviewVersions: ['v1beta1'] },
    });
    const again = await admin.send(`${definitions('v1beta1')}/wheels.example.com`);
    assert.equal(specOf(again)['preserveUnknownFields'], false);
  });

  it('a definition without a schema is served, and what v1 needs a structure for is refused', async () => {
    await made(definitions('v1beta1'), definition('spokes', 'Spoke', {}));
    await served('spokes');
    const refused = async (more: Json, why: RegExp): Promise<void> => {
      const answer = await admin.send(definitions('v1beta1'), { body: definition('hubs', 'Hub', more) });
      assert.equal(answer.code, 422, answer.text);
      assert.match(answer.text, why);
    };
    const withDefault = { properties: { a: { type: 'string', default: 'x' } } };
    await refused({ validation: { openAPIV3Schema: withDefault } }, /must be false in order to use defaults/);
    await refused({ validation: { openAPIV3Schema: { $ref: '#/x' } } }, /\$ref is not supported/);
    const untyped = { preserveUnknownFields: false, validation: { openAPIV3Schema: schema } };
    await refused(untyped, /must not be empty at the root/);
    const conversion = { strategy: 'Webhook', webhookClientConfig: { url: 'https://localhost/' } };
    await refused({ conversion }, /must be None if spec.preserveUnknownFields is true/);
  });

  const signers = [
    {
      subject: { commonName: 'system:node:n', organizations: ['system:nodes'] },
      usages: ['client auth'],
      signer: 'kube-apiserver-client-kubelet',
    },
    {
      subject: { commonName: 'system:node:n', organizations: ['system:nodes'] },
      dnsNames: ['n'],
      ipAddresses: ['10.0.0.1'],
      usages: ['server auth'],
      signer: 'kubelet-serving',
    },
    {
      subject: { commonName: 'system:node:n', organizations: ['system:nodes'] },
      dnsNames: ['n'],
      usages: ['client auth'],
      signer: 'legacy-unknown',
    },
    { subject: { commonName: 'system:node:n' }, usages: ['client auth'], signer: 'legacy-unknown' },
    {
      subject: { commonName: 'jane', organizations: ['system:nodes'] },
      usages: ['client auth'],
      signer: 'legacy-unknown',
    },
  ] as const;
  it('who signs a certificate is known by what it asks for', async () => {
    const path = (version: string): string => `/apis/certificates.k8s.io/${version}/certificatesigningrequests`;
    for (const [index, { signer, usages, ...asked }] of signers.entries()) {
      const { request } = await createSigningRequest(asked);
      const spec = {
        request: Buffer.from(request).toString('base64'),
        usages: ['digital signature', 'key encipherment', ...usages],
      };
      const answer = await made(path('v1beta1'), { metadata: { name: `r${index}` }, spec });
      assert.equal(specOf(answer)['signerName'], `kubernetes.io/${signer}`, JSON.stringify(asked));
      if (signer !== 'legacy-unknown') continue;
      const stable = { ...spec, signerName: `kubernetes.io/${signer}` };
      const refused = await admin.send(path('v1'), { body: { metadata: { name: `s${index}` }, spec: stable } });
      assert.match(refused.text, /the legacy signerName is not allowed via this API version/);
    }
  });

  it('a review of access names its groups by the singular', async () => {
    const path = '/apis/authorization.k8s.io/v1beta1/subjectaccessreviews';
    const resourceAttributes = { verb: 'get', resource: 'pods' };
    const spec = { user: 'jane', group: ['system:masters'], resourceAttributes };
    const answer = await made(path, { apiVersion: 'authorization.k8s.io/v1beta1', kind: 'SubjectAccessReview', spec });
    const { status, apiVersion } = answer.json as { status: Json; apiVersion: string };
    assert.equal(status['allowed'], true);
    assert.equal(apiVersion, 'authorization.k8s.io/v1beta1');
    assert.deepEqual(specOf(answer), spec);
    assert.match(String(answer.headers['warning']), /deprecated in v1.19\+, unavailable in v1.22\+; use authorization/);
    const group = (await admin.send('/apis/authorization.k8s.io')).json as { versions: Json[]; preferredVersion: Json };
    assert.deepEqual(
      group.versions.map(({ version }) => version),
      ['v1', 'v1beta1'],
    );
    assert.equal(group.preferredVersion['version'], 'v1');
  });

  it('a review of a token has the form of v1', async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1beta1', kind: 'TokenReview', spec: { token: 'nonsense' } };
    const answer = await made('/apis/authentication.k8s.io/v1beta1/tokenreviews', body);
    assert.equal((answer.json as { status: Json }).status['error'], 'invalid bearer token');
    assert.match(String(answer.headers['warning']), /authentication.k8s.io\/v1beta1 TokenReview is deprecated/);
  });
});
