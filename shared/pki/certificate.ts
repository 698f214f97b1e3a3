import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;

/** A certificate and its private key, both PEM. The key is PKCS#8. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Who a certificate speaks for: CN is the user, O the groups (Kubernetes' X.509 client certificates). */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export interface AlternativeNames {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

export type Usage = 'client' | 'server';

export interface CertificateOptions extends AlternativeNames {
  readonly subject: Subject;
  readonly usages: readonly Usage[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';
x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

const newKeys = async (): Promise<CryptoKeyPair> =>
  (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
const exportKey = async (key: CryptoKey): Promise<string> =>
  pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', key));
const importKey = (key: string): Promise<CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), algorithm, false, [
    'sign',
  ]) as Promise<CryptoKey>;

/** A positive 127-bit serial number. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return Buffer.from(bytes).toString('hex');
}

function name(subject: Subject): x509.Name {
  return new x509.Name([
    ...(subject.organizations ?? []).map((o) => ({ O: [{ utf8String: o }] })),
    { CN: [{ utf8String: subject.commonName }] },
  ]);
}

function alternativeNames(names: AlternativeNames): x509.SubjectAlternativeNameExtension[] {
  const all: x509.JsonGeneralName[] = [
    ...(names.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  return all.length > 0 ? [new x509.SubjectAlternativeNameExtension(all)] : [];
}

function leafExtensions(usages: readonly Usage[]): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
    new x509.ExtendedKeyUsageExtension(usages.map((usage) => (usage === 'client' ? clientAuth : serverAuth))),
  ];
}

/** Makes a self-signed certificate authority with a new P-256 key. */
export async function createCertificateAuthority(options: {
  subject: Subject;
  notBefore: Date;
  notAfter: Date;
}): Promise<KeyPair> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: name(options.subject),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

async function sign(
  ca: KeyPair,
  publicKey: CryptoKey | x509.PublicKey,
  subject: x509.Name,
  options: Omit<CertificateOptions, 'subject'>,
): Promise<string> {
  const issuer = new x509.X509Certificate(ca.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer.subjectName,
    notBefore: options.notBefore,
    notAfter: options.notAfter < issuer.notAfter ? options.notAfter : issuer.notAfter,
    signingAlgorithm: algorithm,
    publicKey,
    signingKey: await importKey(ca.key),
    extensions: [
      ...leafExtensions(options.usages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...alternativeNames(options),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Makes a new key and has the authority certify it. The end never exceeds the authority's own. */
export async function issueCertificate(ca: KeyPair, options: CertificateOptions): Promise<KeyPair> {
  const keys = await newKeys();
  return {
    certificate: await sign(ca, keys.publicKey, name(options.subject), options),
    key: await exportKey(keys.privateKey),
  };
}

/** Makes a new key and a PKCS#10 request for it. */
export async function createSigningRequest(
  options: { subject: Subject } & AlternativeNames,
): Promise<{ request: string; key: string }> {
  const keys = await newKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: name(options.subject),
    keys,
    signingAlgorithm: algorithm,
    extensions: alternativeNames(options),
  });
  return { request: `${request.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

/** What a PKCS#10 request asks for. */
export interface SigningRequest extends Required<AlternativeNames> {
  readonly subject: Required<Subject>;
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** Reads a PEM request and checks its signature. Throws an Error with a sentence when it is malformed or signed wrongly. */
export async function parseSigningRequest(request: string): Promise<SigningRequest> {
  const { parsed, subject } = await readRequest(request);
  const names = parsed.extensions.find((e) => e instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const ofType = (type: string): string[] => names.filter((n) => n.type === type).map((n) => n.value);
  return {
    subject,
    dnsNames: ofType('dns'),
    ipAddresses: ofType('ip'),
    emailAddresses: ofType('email'),
    uris: ofType('url'),
  };
}

async function readRequest(
  request: string,
): Promise<{ parsed: x509.Pkcs10CertificateRequest; subject: Required<Subject> }> {
  if (request.length > 65_536) throw new Error('the certificate request is longer than 64 KiB');
  let parsed: x509.Pkcs10CertificateRequest;
  try {
    parsed = new x509.Pkcs10CertificateRequest(request);
  } catch {
    throw new Error('the certificate request is not a PEM-encoded PKCS#10 request');
  }
  if (!(await parsed.verify())) throw new Error('the certificate request is not signed by its own key');
  const subject = {
    commonName: parsed.subjectName.getField('CN')[0] ?? '',
    organizations: parsed.subjectName.getField('O'),
  };
  return { parsed, subject };
}

/** Certifies a request's key for the subject and names it asks for; the caller has decided that it may have them. */
export async function signRequest(
  ca: KeyPair,
  request: string,
  options: { usages: readonly Usage[]; notBefore: Date; notAfter: Date },
): Promise<string> {
  const { parsed, subject } = await readRequest(request);
  const { dnsNames, ipAddresses } = await parseSigningRequest(request);
  return sign(ca, parsed.publicKey, name(subject), { ...options, dnsNames, ipAddresses });
}

/** `sha256:` and the hash of the certificate's public key, as `kubeadm join` takes it. */
export function publicKeyHash(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}
