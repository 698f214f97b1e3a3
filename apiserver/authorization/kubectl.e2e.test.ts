import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { serverWorld } from '../testing/server-world.js';

const run = promisify(execFile);

describe('kubectl about roles', () => {
  const world = serverWorld();
  let home: string;
  const kubectl = async (line: string, kubeconfig = world.server.kubeconfigPath): Promise<string> => {
    const env = { ...process.env, HOME: home, KUBECONFIG: kubeconfig };
    const { stdout } = await run('kubectl', line.split(' '), { env }).catch(
      (error: { stdout: string; stderr: string }) => ({
        stdout: error.stdout + error.stderr,
      }),
    );
    return stdout.replaceAll(/ +/g, ' ').replaceAll(/ $/gm, '');
  };
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'knarr-kubectl-'));
  });
  after(async () => {
    await rm(home, { recursive: true, force: true });
  });

  it('creates them and their bindings, and shows who holds them', async () => {
    assert.match(await kubectl('create role r --verb=get,list --resource=pods,deployments.apps'), /role\S* created/);
    const binding = 'create rolebinding rb --role=r --user=ann --group=g --serviceaccount=default:x';
    assert.match(await kubectl(binding), /rolebinding\S* created/);
    assert.match(await kubectl('get role r'), /^NAME CREATED AT\nr 20\S+Z\n/);
    assert.match(
      await kubectl('get rolebinding rb -o wide'),
      /^NAME ROLE AGE USERS GROUPS SERVICEACCOUNTS\nrb Role\/r \d+s ann g default\/x\n/,
    );
  });

  it('tells who somebody is and what he may', async () => {
    const ann = await world.server.kubeconfigFor('ann', ['dev']);
    const who = await kubectl('auth whoami', ann);
    assert.match(who, /Username ann\nGroups \[dev system:authenticated\]\n/);
    assert.match(who, /X509SHA256=[0-9a-f]{64}/);
    assert.match(await kubectl('auth can-i list pods', ann), /^yes/);
    assert.match(await kubectl('auth can-i delete pods', ann), /^no/);
    const list = await kubectl('auth can-i --list', ann);
    for (const line of ['pods [] [] [get list]', 'deployments.apps [] [] [get list]', ' [/apis] [] [get]']) {
      assert.ok(list.includes(line), list);
    }
    assert.match(await kubectl('auth can-i create pods --as=bob --as-group=system:masters'), /^yes/);
  });

  it('reconciles roles and bindings from a file', async () => {
    const file = join(home, 'r.yaml');
    const apiGroup = 'rbac.authorization.k8s.io';
    const items = [
      { kind: 'Role', metadata: { name: 'r' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['watch'] }] },
      {
        kind: 'RoleBinding',
        metadata: { name: 'rb' },
        roleRef: { apiGroup, kind: 'Role', name: 'r' },
        subjects: [{ apiGroup, kind: 'User', name: 'bob' }],
      },
    ].map((item) => ({
      apiVersion: `${apiGroup}/v1`,
      ...item,
      metadata: { ...item.metadata, namespace: 'default' },
    }));
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    assert.match(await kubectl(`auth reconcile -f ${file}`), /rolebinding\S+ reconciled/);
    assert.match(await kubectl('get rolebinding rb -o wide'), / ann, bob g /);
    assert.match(await kubectl('auth can-i watch pods --as=bob'), /^yes/);
  });
});
