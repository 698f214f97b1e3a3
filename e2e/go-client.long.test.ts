import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { serverWorld } from '../apiserver/testing/server-world.js';
import type { RawSender } from '../apiserver/testing/raw-client.js';
import { createKubeletWorld } from '../kubelet/streaming/kubelet-world.js';
import { codecAnswers } from './go-client/codec-answers.js';
import { GoClient, type Settings, type SuiteOptions } from './go-client/go-client.js';

/** Makes the node of a kubelet on this machine, and the pod that it has. */
async function placeOn(admin: RawSender, Port: number): Promise<void> {
  const daemonEndpoints = { kubeletEndpoint: { Port } };
  const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
  const node = { metadata: { name: 'node-1' }, status: { addresses, daemonEndpoints } };
  const spec = { nodeName: 'node-1', containers: [{ name: 'main', image: 'web:1' }] };
  const pod = { metadata: { name: 'web' }, spec };
  for (const [path, body] of Object.entries({ '/api/v1/nodes': node, '/api/v1/namespaces/default/pods': pod }))
    assert.equal((await admin.send(path, { body })).code, 201);
}

describe('client-go', () => {
  let client: GoClient;
  before(() => {
    client = GoClient.compile();
  });
  after(() => client.remove());

  /** Each check of a suite is a test of its own. */
  const suite = async (t: TestContext, name: string, options: SuiteOptions): Promise<void> => {
    let count = 0;
    for await (const { check, failure } of client.run(name, options)) {
      count++;
      await t.test(check, () => assert.ok(failure === undefined, failure));
    }
    assert.ok(count > 0, 'the suite has checks');
  };

  it('reads what Knarr writes in protobuf, and writes what Knarr reads', (t) =>
    suite(t, 'codec', {
      answer: codecAnswers(),
      settings: { perKind: 200, milliseconds: 100, seed: Date.now() % 1_000_000 },
    }));

  describe('against a server', () => {
    const world = serverWorld();
    const settings = (): Settings => ({ kubeconfig: world.server.kubeconfigPath });

    it('takes every kind through every verb, the same in protobuf and in JSON', (t) =>
      suite(t, 'objects', { settings: { ...settings(), objects: 'e2e/go-client/objects.yaml' } }));

    it('serves what programs do with it', (t) => suite(t, 'clients', { settings: settings() }));

    for (const isOn of [true, false])
      it(`fills caches ${isOn ? 'by watches that begin with what there is' : 'by lists'}`, (t) =>
        suite(t, 'informers', { settings: settings(), env: { KUBE_FEATURE_WatchListClient: String(isOn) } }));

    it('is spoken to in JSON by clients that would rather speak CBOR', (t) => {
      const env = { KUBE_FEATURE_ClientsAllowCBOR: 'true', KUBE_FEATURE_ClientsPreferCBOR: 'true' };
      return suite(t, 'cbor', { settings: settings(), env });
    });

    it('leads to containers', async (t) => {
      const kubelet = await createKubeletWorld({ ca: world.server.caKeyPair });
      try {
        await placeOn(world.admin, kubelet.server.port);
        await suite(t, 'streams', { settings: settings() });
      } finally {
        await kubelet.close();
      }
    });
  });
});
