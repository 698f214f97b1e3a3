import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { definitions } from '../kinds/index.js';
import { serverWorld } from '../testing/server-world.js';
import { kubectlFor, type Kubectl } from './kubectl.js';

describe('stock kubectl', () => {
  const world = serverWorld();
  let kubectl: Kubectl;
  before(async () => {
    kubectl = await kubectlFor(world.server.kubeconfigPath);
  });
  after(async () => {
    await kubectl.close();
  });

  for (const { resource } of definitions) {
    const { group, version, kind, apiVersion } = resource;
    const name = group === '' ? resource.resource : `${resource.resource}.${version}.${group}`;
    it(`explains and lists ${apiVersion} ${kind}`, async () => {
      const { code, stdout, stderr } = await kubectl.run(
        'explain',
        resource.resource,
        `--api-version=${apiVersion}`,
        '--recursive',
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`KIND: +${kind}\\nVERSION: +${version}`));
      assert.match(stdout, /metadata\s+<ObjectMeta>/);
      const list = await kubectl.run('get', name, '--all-namespaces', '-o', 'wide');
      assert.equal(list.code, 0, list.stderr);
    });
  }

  it('lists every resource with its verbs', async () => {
    const { code, stdout } = await kubectl.run('api-resources', '--no-headers', '-o', 'wide');
    assert.equal(code, 0);
    const names = new Set(stdout.split('\n').map((line) => line.split(/\s+/)[0]));
    for (const { resource } of definitions) assert.ok(names.has(resource.resource), resource.resource);
    assert.ok(names.has('componentstatuses') && names.has('bindings'));
  });

  it('shows component statuses with a warning', async () => {
    const { code, stdout, stderr } = await kubectl.run('get', 'cs');
    assert.equal(code, 0);
    assert.match(stdout, /^NAME +STATUS +MESSAGE +ERROR\netcd-0 +Healthy +ok/);
    assert.match(stderr, /Warning: v1 ComponentStatus is deprecated in v1\.19\+/);
  });
});
