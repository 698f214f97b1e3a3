import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  createCertificateAuthority,
  createSigningRequest,
  issueCertificate,
  parseSigningRequest,
  publicKeyHash,
  signRequest,
} from './certificate.js';

const notBefore = new Date('2026-01-01T00:00:00Z');
const notAfter = new Date('2027-01-01T00:00:00Z');
const authority = () => createCertificateAuthority({ subject: { commonName: 'knarr-ca' }, notBefore, notAfter });

test('an issued certificate is signed by the authority and carries subject, names and usages', async () => {
  const ca = await authority();
  const issued = await issueCertificate(ca, {
    subject: { commonName: 'system:node:a', organizations: ['system:nodes', 'others'] },
    usages: ['client', 'server'],
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1', '::1'],
    notBefore,
    notAfter: new Date('2040-01-01T00:00:00Z'),
  });
  const certificate = new X509Certificate(issued.certificate);
  assert.ok(certificate.verify(new X509Certificate(ca.certificate).publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(issued.key)));
  assert.equal(certificate.subject, 'O=system:nodes\nO=others\nCN=system:node:a');
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkIP('10.0.0.1'), undefined);
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
  assert.equal(certificate.ca, false);
  assert.equal(new Date(certificate.validTo).getTime(), notAfter.getTime(), 'no longer than the authority');
});

test('a signing request is read back and signed with its own names', async () => {
  const ca = await authority();
  const { request, key } = await createSigningRequest({
    subject: { commonName: 'system:node:b', organizations: ['system:nodes'] },
    ipAddresses: ['10.1.2.3'],
  });
  assert.deepEqual(await parseSigningRequest(request), {
    subject: { commonName: 'system:node:b', organizations: ['system:nodes'] },
    dnsNames: [],
    ipAddresses: ['10.1.2.3'],
    emailAddresses: [],
    uris: [],
  });
  const certificate = new X509Certificate(await signRequest(ca, request, { usages: ['server'], notBefore, notAfter }));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  assert.equal(certificate.checkIP('10.1.2.3'), '10.1.2.3');
});

test('a malformed or forged request is refused with a sentence', async () => {
  await assert.rejects(parseSigningRequest('nonsense'), /not a PEM-encoded PKCS#10 request/);
  const { request } = await createSigningRequest({ subject: { commonName: 'x' } });
  const lines = request.trim().split('\n');
  const der = Buffer.from(lines.slice(1, -1).join(''), 'base64');
  der[der.length - 4] = (der[der.length - 4] ?? 0) ^ 1;
  await assert.rejects(
    parseSigningRequest(`${lines[0]}\n${der.toString('base64')}\n${lines.at(-1)}\n`),
    /not signed by its own key|not a PEM/,
  );
});

test('the public key hash is that of the key, not of the certificate', async () => {
  const ca = await authority();
  const spki = new X509Certificate(ca.certificate).publicKey;
  assert.match(publicKeyHash(ca.certificate), /^sha256:[0-9a-f]{64}$/);
  assert.notEqual(publicKeyHash(ca.certificate), publicKeyHash((await authority()).certificate));
  assert.equal(spki.asymmetricKeyType, 'ec');
});
