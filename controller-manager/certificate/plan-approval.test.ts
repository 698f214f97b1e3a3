import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CertificateSigningRequest, Node } from '../../shared/api/generated/types.js';
import { isOutdated } from './csr-cleaner-controller.js';
import { validity } from './csr-signing-controller.js';
import { autoApproval, signerObjection, type RequestedIdentity } from './plan-approval.js';

const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
const servingSigner = 'kubernetes.io/kubelet-serving';
const user = 'system:node:a';

function csr(spec: Partial<CertificateSigningRequest['spec']>): CertificateSigningRequest {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'c', uid: 'c', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '1' },
    spec: {
      request: '',
      signerName: clientSigner,
      usages: ['client auth', 'digital signature'],
      username: user,
      groups: ['system:nodes'],
      ...spec,
    },
  };
}
const identity = (more: Partial<RequestedIdentity> = {}): RequestedIdentity => ({
  subject: { commonName: user, organizations: ['system:nodes'] },
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
  ...more,
});
const node = (name: string, address: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name, creationTimestamp: '', resourceVersion: '1' },
  spec: {},
  status: { addresses: [{ type: 'InternalIP', address }] },
});
const nodes = [node('a', '10.0.0.1'), node('b', '10.0.0.2')];

describe('automatic approval', () => {
  const serving = { signerName: servingSigner, usages: ['server auth', 'digital signature'] };
  const bootstrap = { username: 'system:bootstrap:x', groups: ['system:bootstrappers'] };
  const cases: [string, string, CertificateSigningRequest, RequestedIdentity][] = [
    ['a bootstrapping machine gets a node certificate where it may', 'nodeclient', csr(bootstrap), identity()],
    ['a node renews its own', 'selfnodeclient', csr({}), identity()],
    [
      "a node needs the right of a joining machine for another node's",
      'nodeclient',
      csr({ username: 'system:node:b' }),
      identity(),
    ],
    ['and so does anybody else', 'nodeclient', csr({ username: 'jane', groups: ['system:authenticated'] }), identity()],
    [
      'nobody becomes an administrator',
      'none',
      csr(bootstrap),
      identity({ subject: { commonName: user, organizations: ['system:masters'] } }),
    ],
    ['nor gets names in a client certificate', 'none', csr(bootstrap), identity({ dnsNames: ['a'] })],
    [
      'a node serves under its own address',
      'nothing more',
      csr(serving),
      identity({ ipAddresses: ['10.0.0.1'], dnsNames: ['a'] }),
    ],
    ['also before it is registered', 'nothing more', csr(serving), identity({ ipAddresses: ['10.0.0.7'] })],
    ["but not under another node's address", 'none', csr(serving), identity({ ipAddresses: ['10.0.0.2'] })],
    [
      'nor under a foreign name',
      'none',
      csr(serving),
      identity({ ipAddresses: ['10.0.0.1'], dnsNames: ['kubernetes.default.svc'] }),
    ],
    [
      'nor does a bootstrapping machine get one',
      'none',
      csr({ ...serving, ...bootstrap }),
      identity({ ipAddresses: ['10.0.0.1'] }),
    ],
  ];
  for (const [title, approved, request, requested] of cases) {
    it(title, () => {
      const found = autoApproval(request, requested, nodes);
      assert.equal(found ? (found.permission ?? 'nothing more') : 'none', approved);
    });
  }
});

it('a signer says what it objects to', () => {
  assert.equal(
    signerObjection(csr({}), identity({ subject: { commonName: 'x', organizations: ['system:nodes'] } })),
    'subject common name does not begin with system:node:',
  );
  assert.equal(
    signerObjection(csr({ usages: ['server auth'] }), identity()),
    'usages did not match ["client auth","digital signature"]',
  );
  assert.equal(signerObjection(csr({ signerName: servingSigner }), identity()), 'DNS or IP subjectAltName is required');
});

it('requests are kept for an hour after the decision, and a day without one', () => {
  const hour = 3600_000;
  const start = Date.parse('2026-01-01T00:00:00Z');
  const decided = csr({});
  decided.status = { conditions: [{ type: 'Approved', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' }] };
  assert.deepEqual([isOutdated(decided, start + hour), isOutdated(decided, start + hour + 1)], [false, true]);
  assert.deepEqual([isOutdated(csr({}), start + 24 * hour), isOutdated(csr({}), start + 24 * hour + 1)], [false, true]);
});

it('a short life is given whole, of a long one the backdating is taken off', () => {
  const hourMs = 3600 * 1000;
  const hours = (lifeMs: number): number[] => {
    const { notBefore, notAfter } = validity(10 * hourMs, lifeMs);
    return [notBefore, notAfter].map((date) => date.getTime() / hourMs - 10);
  };
  assert.equal(hours(hourMs)[1], 1);
  assert.ok((hours(24 * hourMs)[1] ?? 24) < 24);
  assert.ok((hours(hourMs)[0] ?? 0) < 0);
});
