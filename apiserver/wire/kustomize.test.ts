import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ConfigMap, Deployment, Secret, Service } from '../../shared/api/generated/types.js';
import { testFolder } from '../testing/test-folder.js';
import { serverWorld } from '../testing/server-world.js';
import { kubectlFor, type Kubectl } from './kubectl.js';

/** A base with an overlay: generators, patches of both forms, images, replicas, replacements, a component, prefix and suffix. */
const source = resolve('apiserver/wire/testdata/kustomize');

describe('kustomize, as it is built into kubectl', () => {
  const world = serverWorld();
  const { admin } = world;
  let kubectl: Kubectl;
  const folder = testFolder('kustomize');
  const overlay = join(folder, 'overlay');
  const read = async <T>(path: string): Promise<T> => {
    const answer = await admin.send(path);
    assert.equal(answer.code, 200, answer.text);
    return answer.json as T;
  };
  const run = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await kubectl.run(...args);
    assert.equal(code, 0, stderr);
    return stdout.trim().split('\n');
  };
  const change = (file: string, from: string, to: string): void => {
    const text = readFileSync(join(overlay, file), 'utf8');
    assert.ok(text.includes(from));
    writeFileSync(join(overlay, file), text.replace(from, to));
  };
  before(async () => {
    cpSync(source, folder, { recursive: true });
    kubectl = await kubectlFor(world.server.kubeconfigPath);
  });
  after(async () => {
    await kubectl.close();
    rmSync(folder, { recursive: true });
  });

  it('apply -k makes what the overlay says of the base', async () => {
    assert.deepEqual(await run('apply', '-k', overlay), [
      'namespace/shop created',
      'configmap/live-files-eu created',
      'configmap/live-settings-eu-mfhfgct6b9 created',
      'secret/live-login-eu-hmbb7mfmdf created',
      'service/live-web-eu created',
      'deployment.apps/live-web-eu created',
    ]);
    const { metadata, spec } = await read<Deployment>('/apis/apps/v1/namespaces/shop/deployments/live-web-eu');
    assert.deepEqual(metadata.labels, { team: 'shop' });
    assert.equal(metadata.annotations?.['audited'], 'yes');
    assert.equal(spec?.replicas, 3);
    assert.deepEqual(spec.selector.matchLabels, { app: 'web', team: 'shop' });
    const [web, helper] = spec.template.spec?.containers ?? [];
    assert.equal(web?.image, 'registry.example.com/team/web:2');
    assert.match(helper?.image ?? '', /^registry.example.com\/helper@sha256:0123/);
    assert.deepEqual(web.resources?.limits, { cpu: '500m' });
    const names = web.env?.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.configMapKeyRef?.name]);
    assert.deepEqual(names, [
      ['ADDED', '1'],
      ['COLOR', 'live-settings-eu-mfhfgct6b9'],
      ['HOST', 'live-web-eu'],
    ]);
    assert.equal(web.envFrom?.[0]?.secretRef?.name, 'live-login-eu-hmbb7mfmdf');
    const service = await read<Service>('/api/v1/namespaces/shop/services/live-web-eu');
    assert.equal(service.spec?.ports?.[0]?.port, 8080);
    assert.equal(service.spec.sessionAffinity, 'ClientIP');
    const files = await read<ConfigMap>('/api/v1/namespaces/shop/configmaps/live-files-eu');
    assert.deepEqual([files.data, files.immutable], [{ 'motd.txt': 'Good morning.\n' }, true]);
    const settings = await read<ConfigMap>('/api/v1/namespaces/shop/configmaps/live-settings-eu-mfhfgct6b9');
    assert.deepEqual(settings.data, { color: 'blue', size: 'large' });
    const secret = await read<Secret>('/api/v1/namespaces/shop/secrets/live-login-eu-hmbb7mfmdf');
    assert.deepEqual([secret.data, secret.type], [{ user: 'YWRtaW4=' }, 'Opaque']);
  });

  it('again it changes nothing, and diff -k sees no difference', async () => {
    const told = await run('apply', '-k', overlay);
    assert.ok(told.length === 6 && told.every((line) => line.endsWith(' unchanged')), told.join('\n'));
    assert.equal((await kubectl.run('diff', '-k', overlay)).stdout, '');
  });

  it('a change of a generator is a new ConfigMap, which the Deployment refers to', async () => {
    change('kustomization.yaml', 'size=large', 'size=huge');
    const shown = await kubectl.run('diff', '-k', overlay);
    assert.equal(shown.code, 1);
    assert.match(shown.stdout, /^-\s+name: live-settings-eu-mfhfgct6b9\n\+\s+name: live-settings-eu-\w{10}$/m);
    const told = await run('apply', '-k', overlay);
    const made = told.find((line) => /^configmap\/live-settings-eu-\w{10} created$/.test(line)) ?? assert.fail();
    assert.ok(told.includes('deployment.apps/live-web-eu configured'), told.join('\n'));
    const { spec } = await read<Deployment>('/apis/apps/v1/namespaces/shop/deployments/live-web-eu');
    const color = spec?.template.spec?.containers[0]?.env?.find(({ name }) => name === 'COLOR');
    assert.equal(`configmap/${color?.valueFrom?.configMapKeyRef?.name} created`, made);
  });

  it('what a patch no longer says is taken back', async () => {
    change('strategic.yaml', '          resources: { limits: { cpu: 500m } }\n', '');
    await run('apply', '-k', overlay);
    const { spec } = await read<Deployment>('/apis/apps/v1/namespaces/shop/deployments/live-web-eu');
    assert.equal(spec?.template.spec?.containers[0]?.resources?.limits, undefined);
  });

  it('apply --server-side -k owns the same fields', async () => {
    const told = await run('apply', '-k', overlay, '--server-side', '--force-conflicts', '--field-manager=deploy');
    assert.ok(
      told.every((line) => line.endsWith(' serverside-applied')),
      told.join('\n'),
    );
    const { metadata, spec } = await read<Deployment>('/apis/apps/v1/namespaces/shop/deployments/live-web-eu');
    assert.ok(metadata.managedFields?.some(({ manager, operation }) => manager === 'deploy' && operation === 'Apply'));
    assert.equal(spec?.replicas, 3);
  });

  it('get -k shows them, delete -k removes them', async () => {
    assert.equal((await run('get', '-k', overlay, '-o', 'name')).length, 6);
    const told = await run('delete', '-k', overlay, '--wait=false');
    assert.ok(
      told.some((line) => /^deployment.apps "live-web-eu" deleted/.test(line)),
      told.join('\n'),
    );
    assert.equal((await admin.send('/api/v1/namespaces/shop/services/live-web-eu')).code, 404);
  });
});
