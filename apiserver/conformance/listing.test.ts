import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const templates = '/api/v1/namespaces/default/podtemplates';
const count = 40;
const limit = 15;

interface Page {
  readonly metadata: {
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly resourceVersion: string;
  };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}
const pageOf = ({ json }: RawAnswer): Page => json as unknown as Page;

describe('lists and versions', () => {
  const { admin } = serverWorld();
  before(async () => {
    const template = { spec: { containers: [{ name: 'c', image: 'i' }] } };
    const names = Array.from({ length: count }, (_, i) => `template-${String(i).padStart(4, '0')}`);
    await Promise.all(names.map((name) => admin.send(templates, { body: { metadata: { name }, template } })));
  });

  it('a list comes in chunks of the limit, each of the same moment, with the number of those that remain', async () => {
    const names: string[] = [];
    let token = '';
    let resourceVersion: string | undefined;
    for (let asked = 0; asked < 10; asked++) {
      const query = token === '' ? '' : `&continue=${encodeURIComponent(token)}`;
      const { metadata, items } = pageOf(await admin.send(`${templates}?limit=${limit}${query}`));
      names.push(...items.map((item) => item.metadata.name));
      resourceVersion ??= metadata.resourceVersion;
      assert.equal(metadata.resourceVersion, resourceVersion);
      token = metadata.continue ?? '';
      if (token === '') {
        assert.equal(metadata.remainingItemCount, undefined);
        break;
      }
      assert.equal(items.length, limit);
      assert.equal(metadata.remainingItemCount, count - names.length);
    }
    const whole = pageOf(await admin.send(templates));
    assert.deepEqual(
      names,
      whole.items.map((item) => item.metadata.name),
    );
    assert.equal(whole.metadata.continue, undefined);
    assert.equal(names.length, count);
  });

  it('what has no form as a table is a 406', async () => {
    const review = await admin.send('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    assert.equal(review.code, 406, review.text);
  });

  it('major and minor of the version are whole numbers', async () => {
    const { json } = await admin.send('/version');
    for (const name of ['major', 'minor']) assert.match(String(json?.[name]), /^\d+$/);
  });

  it('each group is discovered with its preferred version, and each version of it with resources', async () => {
    const { json } = await admin.send('/apis');
    const { groups } = json as unknown as {
      groups: { name: string; versions: { groupVersion: string }[]; preferredVersion: { groupVersion: string } }[];
    };
    assert.ok(groups.length > 15);
    for (const { name, versions, preferredVersion } of groups) {
      assert.ok(
        versions.some(({ groupVersion }) => groupVersion === preferredVersion.groupVersion),
        name,
      );
      for (const { groupVersion } of versions) {
        const listed = (await admin.send(`/apis/${groupVersion}`)).json as unknown as {
          groupVersion: string;
          resources: object[];
        };
        assert.equal(listed.groupVersion, groupVersion);
        assert.ok(listed.resources.length > 0, groupVersion);
      }
    }
  });
});
