import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

type Json = Record<string, unknown>;

const core = '/api/v1/namespaces/default';
const reviews = '/apis/authorization.k8s.io/v1';
const decoded = (part: string): Json => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json;

describe('accounts of services', () => {
  const world = serverWorld({ disabledAdmission: ['TaintNodesByCondition'] });
  const { admin } = world;
  const create = async (path: string, body: object): Promise<RawAnswer> => {
    const answer = await admin.send(path, { body });
    assert.equal(answer.code, 201, answer.text);
    return answer;
  };

  const settings = [undefined, true, false];
  for (const account of settings) {
    for (const pod of settings) {
      const isMounted = (pod ?? account) !== false;
      it(`a token is ${isMounted ? '' : 'not '}mounted where the account says ${account} and the pod ${pod}`, async () => {
        const name = `mounts-${account}-${pod}`;
        const setting = (value: boolean | undefined): Json =>
          value === undefined ? {} : { automountServiceAccountToken: value };
        await create(`${core}/serviceaccounts`, { metadata: { name }, ...setting(account) });
        const { json } = await create(`${core}/pods`, {
          metadata: { name },
          spec: { serviceAccountName: name, containers: [{ name: 'c', image: 'i' }], ...setting(pod) },
        });
        const { containers } = (
          json as unknown as { spec: { containers: { volumeMounts?: { mountPath: string }[] }[] } }
        ).spec;
        const paths = (containers[0]?.volumeMounts ?? []).map(({ mountPath }) => mountPath);
        assert.deepEqual(paths, isMounted ? ['/var/run/secrets/kubernetes.io/serviceaccount'] : []);
      });
    }
  }

  it('a token holds against the keys that its issuer publishes', async () => {
    await create(`${core}/serviceaccounts`, { metadata: { name: 'issued' } });
    const { json } = await create(`${core}/serviceaccounts/issued/token`, { spec: { audiences: [] } });
    const { token } = (json as unknown as { status: { token: string } }).status;
    const [header = '', claims = '', signature = ''] = token.split('.');
    const nobody = world.clientWith();
    const get = async (path: string): Promise<Json> => {
      const answer = await nobody.send(path, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.code, 200, answer.text);
      return answer.json ?? {};
    };
    const configuration = await get('/.well-known/openid-configuration');
    assert.equal(configuration['issuer'], decoded(claims)['iss']);
    assert.equal(decoded(claims)['sub'], 'system:serviceaccount:default:issued');
    const { keys } = (await get(new URL(String(configuration['jwks_uri'])).pathname)) as { keys: Json[] };
    const key = keys.find(({ kid }) => kid === decoded(header)['kid']);
    assert.ok(key);
    const publicKey = createPublicKey({ key: key as never, format: 'jwk' });
    const signed = Buffer.from(`${header}.${claims}`);
    const holds = (bytes: Buffer): boolean =>
      verify('sha256', bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    assert.equal(holds(signed), true);
    assert.equal(holds(Buffer.concat([signed, Buffer.from('x')])), false);
    nobody.close();
  });

  it('reviews of access say what an account that is impersonated may do', async () => {
    await create(`${core}/serviceaccounts`, { metadata: { name: 'reviewed' } });
    const user = 'system:serviceaccount:default:reviewed';
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:default'];
    const resourceAttributes = { verb: 'list', resource: 'configmaps', namespace: 'default' };
    const allowed = async (path: string, metadata: object): Promise<boolean> => {
      const { json } = await create(path, { metadata, spec: { user, groups, resourceAttributes } });
      return (json as unknown as { status: { allowed: boolean } }).status.allowed;
    };
    const agree = async (expected: boolean): Promise<void> => {
      const { code } = await admin.send(`${core}/configmaps`, { headers: { 'impersonate-user': user } });
      assert.equal(code, expected ? 200 : 403);
      assert.equal(await allowed(`${reviews}/subjectaccessreviews`, {}), expected);
      const local = `${reviews}/namespaces/default/localsubjectaccessreviews`;
      assert.equal(await allowed(local, { namespace: 'default' }), expected);
    };
    await agree(false);
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    const rules = [{ verbs: ['list'], apiGroups: [''], resources: ['configmaps'] }];
    await create(`${rbac}/roles`, { metadata: { name: 'reviewed' }, rules });
    await create(`${rbac}/rolebindings`, {
      metadata: { name: 'reviewed' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reviewed' },
      subjects: [{ kind: 'ServiceAccount', name: 'reviewed', namespace: 'default' }],
    });
    await agree(true);
  });
});
