import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createCertificateAuthority,
  createSigningRequest,
  issueCertificate,
  type KeyPair,
} from '../../shared/pki/certificate.js';
import { serverWorld } from '../testing/server-world.js';

const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) };
const name = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' });

describe('whatever is shown as a certificate or asked to be signed', () => {
  const world = serverWorld();
  const { admin } = world;
  let foreign: KeyPair;
  before(async () => {
    foreign = await createCertificateAuthority({ subject: { commonName: 'kubernetes' }, ...validity });
  });

  it('gives nobody a name that the authority of the cluster has not given him', async () => {
    const groups = fc.array(fc.oneof(fc.constant('system:masters'), name), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant('kubernetes-admin'), name), groups, async (commonName, organizations) => {
        const given = { subject: { commonName, organizations }, usages: ['client'] as const, ...validity };
        const client = world.clientWith(await issueCertificate(foreign, given));
        try {
          const answer = await client.send('/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: {} });
          assert.equal(answer.code, 401, answer.text);
        } finally {
          client.close();
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is refused or kept, and never an answer of 500', async () => {
    const { request } = await createSigningRequest({ subject: { commonName: 'jane' } });
    const body = request.replaceAll(/-----[^-]+-----|\s/g, '');
    const pem = (base64: string): string =>
      `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
    const flipped = fc
      .tuple(fc.nat(Buffer.from(body, 'base64').length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, mask]) => {
        const bytes = Buffer.from(body, 'base64');
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        return pem(bytes.toString('base64'));
      });
    const garbage = fc.oneof(
      flipped,
      fc.string(),
      fc.base64String().map(pem),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => pem(Buffer.from(bytes).toString('base64'))),
      fc.nat(body.length).map((length) => pem(body.slice(0, length))),
    );
    const spec = { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] };
    let count = 0;
    await fc.assert(
      fc.asyncProperty(garbage, async (text) => {
        const answer = await admin.send('/apis/certificates.k8s.io/v1/certificatesigningrequests', {
          body: {
            metadata: { name: `garbage-${count++}` },
            spec: { ...spec, request: Buffer.from(text).toString('base64') },
          },
        });
        assert.ok([201, 400, 403, 422].includes(answer.code), answer.text);
        if (answer.code !== 201) return;
        const kept = answer.json as { spec: { username: string }; status: object };
        assert.equal(kept.spec.username, 'kubernetes-admin');
        assert.deepEqual(kept.status ?? {}, {}, answer.text);
      }),
      { numRuns: 200, includeErrorInReport: true },
    );
  });
});
