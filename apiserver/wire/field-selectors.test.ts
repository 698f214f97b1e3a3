import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createSigningRequest } from '../../shared/pki/certificate.js';
import { serverWorld } from '../testing/server-world.js';

const core = '/api/v1/namespaces/default';
const signingRequests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/** Collection, then selectors: each is that of the object `one`, and of no other. */
const chosen: Readonly<Record<string, readonly string[]>> = {
  '/api/v1/pods': [
    'metadata.name=one',
    'metadata.name=one,metadata.namespace=default',
    'spec.nodeName=node-1',
    'spec.schedulerName=own',
    'spec.serviceAccountName=builder',
    'spec.restartPolicy=Never',
    'spec.restartPolicy!=Always',
    'status.phase=Running',
    'status.phase!=Pending,status.phase!=Failed',
    'status.podIP=10.244.0.5',
    'status.podIPs=10.244.0.5',
    'status.nominatedNodeName=node-2',
  ],
  '/api/v1/nodes': ['metadata.name=one', 'spec.unschedulable=true'],
  '/api/v1/namespaces': ['metadata.name=one', 'status.phase=Terminating'],
  '/api/v1/secrets': ['type=example.com/kind'],
  '/api/v1/events': [
    'involvedObject.kind=Pod',
    'involvedObject.namespace=default,involvedObject.name=one',
    'involvedObject.uid=u-1',
    'involvedObject.apiVersion=v1,involvedObject.kind=Pod',
    'involvedObject.resourceVersion=7',
    'involvedObject.fieldPath=spec.containers{c}',
    'reason=Pulled',
    'reportingComponent=kubelet',
    'source=kubelet',
    'type=Warning',
  ],
  '/apis/events.k8s.io/v1/events': [
    'regarding.name=one',
    'reportingController=kubelet',
    'reason=Pulled',
    'type=Warning',
  ],
  [signingRequests]: ['spec.signerName=example.com/one'],
};

describe('field selectors that clients use', () => {
  const { admin } = serverWorld();

  const make = async (path: string, body: object): Promise<void> => {
    const answer = await admin.send(path, { body });
    assert.equal(answer.code, 201, answer.text);
  };
  const setStatus = async (path: string, status: object): Promise<void> => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const answer = await admin.send(`${path}/status`, { method: 'PATCH', headers, body: { status } });
    assert.equal(answer.code, 200, answer.text);
  };
  const event = (name: string, rest: object): object => ({
    metadata: { name },
    involvedObject: { kind: 'Node', name },
    reason: 'Rebooted',
    type: 'Normal',
    ...rest,
  });

  before(async () => {
    const containers = [{ name: 'c', image: 'i' }];
    const spec = { nodeName: 'node-1', schedulerName: 'own', serviceAccountName: 'builder', restartPolicy: 'Never' };
    await make(`${core}/pods`, { metadata: { name: 'one' }, spec: { containers, ...spec } });
    await make(`${core}/pods`, { metadata: { name: 'other' }, spec: { containers } });
    await setStatus(`${core}/pods/one`, {
      phase: 'Running',
      podIP: '10.244.0.5',
      podIPs: [{ ip: '10.244.0.5' }],
      nominatedNodeName: 'node-2',
    });
    await make('/api/v1/nodes', { metadata: { name: 'one' }, spec: { unschedulable: true } });
    await make('/api/v1/nodes', { metadata: { name: 'other' } });
    await make('/api/v1/namespaces', { metadata: { name: 'one' } });
    await admin.send('/api/v1/namespaces/one', { method: 'DELETE' });
    await make(`${core}/secrets`, { metadata: { name: 'one' }, type: 'example.com/kind' });
    await make(`${core}/secrets`, { metadata: { name: 'other' } });
    const involvedObject = {
      kind: 'Pod',
      namespace: 'default',
      name: 'one',
      uid: 'u-1',
      apiVersion: 'v1',
      resourceVersion: '7',
      fieldPath: 'spec.containers{c}',
    };
    const source = { component: 'kubelet', host: 'node-1' };
    const told = { involvedObject, reason: 'Pulled', type: 'Warning', source, reportingComponent: 'kubelet' };
    await make(`${core}/events`, event('one', told));
    await make(`${core}/events`, event('other', { involvedObject: { kind: 'Node', name: 'n', namespace: 'default' } }));
    for (const name of ['one', 'other']) {
      const { request } = await createSigningRequest({ subject: { commonName: name } });
      const asked = { request: Buffer.from(request).toString('base64'), usages: ['client auth'] };
      await make(signingRequests, { metadata: { name }, spec: { ...asked, signerName: `example.com/${name}` } });
    }
  });

  const names = async (path: string, selector: string): Promise<string[]> => {
    const answer = await admin.send(`${path}?fieldSelector=${encodeURIComponent(selector)}`);
    assert.equal(answer.code, 200, `${selector}: ${answer.text}`);
    const { items } = answer.json as unknown as { items: { metadata: { name: string } }[] };
    return items.map(({ metadata }) => metadata.name);
  };

  for (const [path, selectors] of Object.entries(chosen)) {
    it(`${path}: ${selectors.join('; ')}`, async () => {
      for (const selector of selectors) assert.deepEqual(await names(path, selector), ['one'], selector);
      assert.ok((await names(path, '')).includes('one'));
      assert.ok((await names(path, '')).length > 1, 'there is another');
    });
  }
});
