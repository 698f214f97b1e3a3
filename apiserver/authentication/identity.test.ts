import assert from 'node:assert/strict';
import { request } from 'node:https';
import { before, describe, it } from 'node:test';
import { createCertificateAuthority, createSigningRequest, issueCertificate } from '../../shared/pki/certificate.js';
import type { RawClient, RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const message = ({ json }: RawAnswer): string => String(json?.['message']);

describe('identity and rights', () => {
  const world = serverWorld({ disabledAdmission: [] });
  const { admin } = world;
  let nobody: RawClient;
  let node: RawClient;
  const core = '/api/v1/namespaces/default';
  const bearer = (token: string): { headers: Record<string, string> } => ({
    headers: { authorization: `Bearer ${token}` },
  });
  const makePod = async (name: string, nodeName: string, spec: object = {}): Promise<{ uid: string }> => {
    const body = { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], nodeName, ...spec } };
    const answer = await admin.send(`${core}/pods`, { body });
    assert.equal(answer.code, 201, message(answer));
    return (answer.json as { metadata: { uid: string } }).metadata;
  };
  const makeToken = (id: string, changes: Record<string, string> = {}, type = 'bootstrap.kubernetes.io/token') => {
    const stringData = {
      'token-id': id,
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      expiration: new Date(Date.now() + 60_000).toISOString(),
      ...changes,
    };
    const path = '/api/v1/namespaces/kube-system/secrets';
    return admin.send(path, { body: { metadata: { name: `bootstrap-token-${id}` }, type, stringData } });
  };
  before(async () => {
    nobody = world.clientWith();
    node = await world.clientOf('system:node:node-1', ['system:nodes']);
    await admin.send(`${core}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
  });

  it('lets the anonymous see health and version, and nothing else', async () => {
    assert.equal((await nobody.send('/version')).code, 200);
    assert.equal((await nobody.send('/livez')).code, 200);
    const refused = await nobody.send(`${core}/pods`);
    assert.equal(refused.code, 403);
    assert.equal(
      message(refused),
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    assert.equal(
      message(await nobody.send('/metrics')),
      'forbidden: User "system:anonymous" cannot get path "/metrics"',
    );
    const reached = ['/livez', '/readyz', '/readyz?verbose', '/healthz', '/version'];
    for (const path of reached) assert.equal((await nobody.send(path)).code, 200, path);
    const closed = [
      '/',
      '/livez/ping',
      '/api',
      '/apis',
      '/apis/apps/v1',
      '/openapi/v2',
      '/openapi/v3',
      '/openid/v1/jwks',
      '/metrics',
    ];
    for (const path of closed) assert.equal((await nobody.send(path)).code, 403, path);
    assert.equal((await nobody.send('/version', { method: 'DELETE' })).code, 403);
    assert.equal((await nobody.send('/api/v1/namespaces/kube-public/configmaps')).code, 403);
    assert.equal((await nobody.send('/api/v1/namespaces/kube-public/configmaps/cluster-info')).code, 404);
  });

  it('refuses certificates of another authority and tokens of nobody', async () => {
    const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 100_000) };
    const ca = await createCertificateAuthority({ subject: { commonName: 'other' }, ...validity });
    const subject = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };
    const foreign = world.clientWith(await issueCertificate(ca, { subject, usages: ['client'], ...validity }));
    assert.equal((await foreign.send(`${core}/pods`)).code, 401);
    for (const token of ['x', 'a.b.c', 'abcdef.0123456789abcdef']) {
      assert.equal((await nobody.send('/version', bearer(token))).code, 401, token);
    }
  });

  it('issues tokens that die with the pod they are bound to', async () => {
    const { uid } = await makePod('bound', 'node-1');
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'bound', uid };
    const path = `${core}/serviceaccounts/default/token`;
    const issued = await admin.send(path, {
      body: { spec: { audiences: [], expirationSeconds: 600, boundObjectRef } },
    });
    assert.equal(issued.code, 201, message(issued));
    const { token } = (issued.json as unknown as { status: { token: string } }).status;
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const who = await nobody.send('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: review,
      ...bearer(token),
    });
    const { userInfo } = (who.json as unknown as { status: { userInfo: { username: string; extra: object } } }).status;
    assert.equal(userInfo.username, 'system:serviceaccount:default:default');
    assert.deepEqual((userInfo.extra as Record<string, unknown>)['authentication.kubernetes.io/pod-name'], ['bound']);
    await admin.send(`${core}/pods/bound?gracePeriodSeconds=0`, { method: 'DELETE' });
    assert.equal((await nobody.send('/version', bearer(token))).code, 401);
    const short = await admin.send(path, { body: { spec: { audiences: [], expirationSeconds: 5 } } });
    assert.equal(short.code, 422);
  });

  it('takes a token among the subprotocols of a WebSocket, as browsers send it', async () => {
    const answer = await admin.send(`${core}/serviceaccounts/default/token`, { body: { spec: {} } });
    const { token } = (answer.json as { status: { token: string } }).status;
    const encoded = (text: string): string =>
      `base64url.bearer.authorization.k8s.io.${Buffer.from(text).toString('base64url')}`;
    const exec = (protocols: string): Promise<{ code: number; text: string }> =>
      new Promise((resolve, reject) => {
        const headers = {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          'sec-websocket-protocol': protocols,
        };
        const sent = request(`${world.server.url}${core}/pods/none/exec?command=x`, {
          ca: world.server.ca,
          headers,
          agent: false,
        });
        sent.on('error', reject);
        sent.on('response', (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ code: response.statusCode ?? 0, text }));
        });
        sent.end();
      });
    const known = await exec(`v5.channel.k8s.io, ${encoded(token)}`);
    assert.equal(known.code, 403, known.text);
    assert.match(known.text, /User \\"system:serviceaccount:default:default\\" cannot get resource \\"pods\/exec\\"/);
    assert.equal((await exec(`v5.channel.k8s.io, ${encoded('nonsense')}`)).code, 401);
    assert.equal((await exec(encoded(token))).code, 401);
    assert.match((await exec('v5.channel.k8s.io')).text, /system:anonymous/);
  });

  it('reviews a token for one audience only', async () => {
    const path = `${core}/serviceaccounts/default/token`;
    const issued = await admin.send(path, { body: { spec: { audiences: ['vault'] } } });
    const { token } = (issued.json as unknown as { status: { token: string } }).status;
    assert.equal((await nobody.send('/version', bearer(token))).code, 401);
    const review = async (audiences: string[]): Promise<unknown> => {
      const answer = await admin.send('/apis/authentication.k8s.io/v1/tokenreviews', {
        body: { spec: { token, audiences } },
      });
      return (answer.json as { status: { authenticated?: boolean } }).status.authenticated;
    };
    assert.equal(await review(['vault']), true);
    assert.equal(await review(['other']), undefined);
  });

  it('knows joining nodes by their bootstrap token', async () => {
    assert.equal((await makeToken('abcdef')).code, 201);
    const refused = await nobody.send(`${core}/pods`, bearer('abcdef.0123456789abcdef'));
    assert.match(message(refused), /User "system:bootstrap:abcdef" cannot list/);
    assert.equal((await nobody.send('/version', bearer('abcdef.0123456789abcdee'))).code, 401);
    const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    assert.equal((await nobody.send(requests, bearer('abcdef.0123456789abcdef'))).code, 200);
    await admin.send('/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef', { method: 'DELETE' });
    assert.equal((await nobody.send(requests, bearer('abcdef.0123456789abcdef'))).code, 401);
  });

  const useless: Record<string, [data: Record<string, string>, type?: string]> = {
    'that has expired': [{ expiration: new Date(Date.now() - 1000).toISOString() }],
    'whose end cannot be read': [{ expiration: 'soon' }],
    'that is for signing alone': [{ 'usage-bootstrap-authentication': 'false' }],
    'under another name than its own': [{ 'token-id': 'zzzzzz' }],
    'in a Secret of another type': [{}, 'Opaque'],
  };
  for (const [i, [what, [data, type]]] of Object.entries(useless).entries()) {
    it(`refuses a bootstrap token ${what}`, async () => {
      const id = `token${i}`;
      assert.equal((await makeToken(id, data, type)).code, 201);
      assert.equal((await nobody.send('/version', bearer(`${id}.0123456789abcdef`))).code, 401);
    });
  }

  it('gives groups of bootstrappers by a token, and no others', async () => {
    await makeToken('groups', { 'auth-extra-groups': 'system:bootstrappers:mine,system:masters' });
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const who = await nobody.send(path, { body: review, ...bearer('groups.0123456789abcdef') });
    const { userInfo } = (who.json as unknown as { status: { userInfo: { groups: string[] } } }).status;
    assert.deepEqual(userInfo.groups, ['system:bootstrappers', 'system:bootstrappers:mine', 'system:authenticated']);
  });

  it('opens to a node only the secrets that its pods name', async () => {
    const secret = { metadata: { name: 'mine' }, data: {} };
    await admin.send(`${core}/secrets`, { body: secret });
    await admin.send(`${core}/secrets`, { body: { ...secret, metadata: { name: 'other' } } });
    await makePod('user', 'node-1', { volumes: [{ name: 'v', secret: { secretName: 'mine' } }] });
    await makePod('stranger', 'node-2', { volumes: [{ name: 'v', secret: { secretName: 'other' } }] });
    assert.equal((await node.send(`${core}/secrets/mine`)).code, 200);
    assert.equal((await node.send(`${core}/secrets?fieldSelector=metadata.name%3Dmine`)).code, 200);
    assert.equal((await node.send(`${core}/secrets/other`)).code, 403);
    assert.equal((await node.send(`${core}/secrets`)).code, 403);
  });

  it('shows a node its own pods and no others, and all Nodes, which its kube-proxy needs', async () => {
    await makePod('here', 'node-1');
    await makePod('there', 'node-2');
    const code = async (path: string): Promise<number> => (await node.send(path)).code;
    assert.equal(await code(`${core}/pods/here`), 200);
    assert.equal(await code(`${core}/pods/there`), 403);
    assert.equal(await code(`${core}/pods/gone`), 404);
    assert.equal(await code('/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1'), 200);
    assert.equal(await code('/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-2'), 403);
    assert.equal(await code('/api/v1/pods'), 403);
    assert.equal(await code('/api/v1/pods?watch=true&timeoutSeconds=1'), 403);
    assert.equal(await code('/api/v1/nodes'), 200);
    assert.equal(await code(`${core}/pods/here/log`), 403);
    assert.equal(await code('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-2'), 403);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
    assert.equal((await node.send(leases, { body: { metadata: { name: 'node-1' }, spec: {} } })).code, 403);
  });

  it('opens nothing to a node through a pod that it makes or evicts itself', async () => {
    const mirror = (spec: object, metadata: object = {}): Promise<RawAnswer> => {
      const annotations = { 'kubernetes.io/config.mirror': 'x' };
      const containers = [{ name: 'c', image: 'i' }];
      const body = {
        metadata: { name: 'm', annotations, ...metadata },
        spec: { nodeName: 'node-1', containers, ...spec },
      };
      return node.send(`${core}/pods?dryRun=All`, { body });
    };
    assert.equal((await mirror({})).code, 201);
    assert.match(
      message(await mirror({ volumes: [{ name: 'v', secret: { secretName: 'other' } }] })),
      /can not create pods that reference secrets/,
    );
    assert.match(message(await mirror({ serviceAccountName: 'default' })), /reference service accounts/);
    assert.match(message(await mirror({ nodeName: 'node-2' })), /spec\.nodeName set to itself/);
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'node-2', uid: 'u' };
    assert.match(message(await mirror({}, { ownerReferences: [owner] })), /owner reference set to itself/);
    const evict = { body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'there' } } };
    assert.match(
      message(await node.send(`${core}/pods/there/eviction`, evict)),
      /can only (evict|delete) pods with spec.nodeName set to itself/,
    );
  });

  it('lets a node write only what is its own', async () => {
    const register = (name: string): Promise<RawAnswer> => node.send('/api/v1/nodes', { body: { metadata: { name } } });
    const labelled = (key: string): Promise<RawAnswer> =>
      node.send('/api/v1/nodes?dryRun=All', { body: { metadata: { name: 'node-1', labels: { [key]: 'x' } } } });
    for (const key of ['node-role.kubernetes.io/control-plane', 'x.node-restriction.kubernetes.io/a', 'a.k8s.io/b']) {
      assert.match(message(await labelled(key)), new RegExp(`is not allowed to set the following labels: ${key}$`));
    }
    for (const key of ['kubernetes.io/hostname', 'node.kubernetes.io/x', 'example.com/y', 'z']) {
      assert.equal((await labelled(key)).code, 201, key);
    }
    assert.equal((await register('node-1')).code, 201);
    assert.equal((await register('node-2')).code, 403);
    const status = {
      method: 'PATCH',
      body: { status: { phase: 'Running' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    };
    assert.equal((await node.send(`${core}/pods/user/status`, status)).code, 200);
    assert.equal((await node.send(`${core}/pods/stranger/status`, status)).code, 403);
    assert.equal((await node.send(`${core}/pods/user`, status)).code, 403);
    const lease = (name: string): Promise<RawAnswer> =>
      node.send('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', {
        body: { metadata: { name }, spec: {} },
      });
    assert.equal((await lease('node-1')).code, 201);
    assert.equal((await lease('node-2')).code, 403);
    const plain = {
      metadata: { name: 'sneaky' },
      spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }] },
    };
    assert.match(message(await node.send(`${core}/pods`, { body: plain })), /can only create mirror pods/);
    assert.equal((await node.send(`${core}/pods/stranger`, { method: 'DELETE' })).code, 403);
    // A node may call itself through the server; here it has told no address yet.
    assert.match(message(await node.send('/api/v1/nodes/node-1/proxy/healthz')), /no preferred addresses found/);
    assert.equal((await node.send('/api/v1/nodes/node-2/proxy/healthz')).code, 403);
  });

  it('answers what somebody may do', async () => {
    const ask = async (user: string, verb: string, resource: string): Promise<boolean> => {
      const body = { spec: { user, resourceAttributes: { verb, resource, namespace: 'default' } } };
      const answer = await admin.send('/apis/authorization.k8s.io/v1/subjectaccessreviews', { body });
      return (answer.json as unknown as { status: { allowed: boolean } }).status.allowed;
    };
    assert.equal(await ask('system:kube-scheduler', 'list', 'pods'), true);
    assert.equal(await ask('system:kube-scheduler', 'create', 'secrets'), false);
  });

  it('lists what somebody may do in a namespace', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
    const answer = await node.send(path, { body: { spec: { namespace: 'default' } } });
    assert.equal(answer.code, 201, message(answer));
    const { status } = answer.json as unknown as {
      status: { incomplete: boolean; resourceRules: { resources: string[] }[] };
    };
    assert.equal(status.incomplete, true);
    assert.ok(status.resourceRules.some(({ resources }) => resources.includes('pods/status')));
  });

  it('writes the requester into a signing request, whatever that says', async () => {
    const subject = { commonName: 'system:node:node-1', organizations: ['system:nodes'] };
    const { request } = await createSigningRequest({ subject });
    const spec = {
      request: Buffer.from(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['client auth', 'digital signature'],
      username: 'kubernetes-admin',
    };
    const answer = await node.send('/apis/certificates.k8s.io/v1/certificatesigningrequests', {
      body: { metadata: { name: 'csr' }, spec },
    });
    assert.equal(answer.code, 201, message(answer));
    assert.equal((answer.json as unknown as { spec: { username: string } }).spec.username, 'system:node:node-1');
  });
});
