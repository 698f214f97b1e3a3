import { ProtobufCodec } from '../../protobuf/codec.js';
import { loadSchemas } from '../../schema/schemas.js';
import { definition } from './texts.js';
import { type Family, type FuzzRequest, headerValue, namespace, words } from './family.js';

const json = { 'content-type': 'application/json' };
const base64 = words('A AA AAA= //// gICA /w== MIIB MII ==');
/** What a line holds for bytes: base64, so that a line stays short and can be read by the usual tools. */
const bytesOf = (input: Buffer): Buffer => Buffer.from(input.toString('latin1'), 'base64');

const request =
  'MIIBDjCBtgIBADAvMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFjAUBgNVBAMMDXN5c3RlbTpub2RlOmEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC' +
  'AATXK/+cC0b9D26uNwC6mQSo8vzeEkqEr8s20LUQRZIWFt6Y5OJgmZF1DaxfO9oKkDwbaoyoSiGTCm+kTr0HkvVRoCUwIwYJKoZIhvcNAQkOMRYw' +
  'FDASBgNVHREECzAJggFhhwQKAAABMAoGCCqGSM49BAMCA0cAMEQCIFW90p2vnqsgac4x0OHfAJ4coOAQfBNE+ujXdE/4mRqIAiBq9hJgZaLY9GAi' +
  'ZaeHZh00KPybctWcAzjpVZB0ada7YA==';
const certificate =
  'MIIBbzCCARWgAwIBAgIUcSPDZDOXjMcq0YcFZtXbYkAOS0gwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCY2EwHhcNMjYxMTIxMTYwMDU5WhcNMzYx' +
  'MTE4MTYwMDU5WjANMQswCQYDVQQDDAJjYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcr/5wLRv0Pbq43ALqZBKjy/N4SSoSvyzbQtRBFkhYW' +
  '3pjk4mCZkXUNrF872gqQPBtqjKhKIZMKb6ROvQeS9VGjUzBRMB0GA1UdDgQWBBQXNWQiirMGUebxqxAAspAXyZ7ocDAfBgNVHSMEGDAWgBQXNWQi' +
  'irMGUebxqxAAspAXyZ7ocDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIFPgEILizpRXlr1snP15oQVrL/0GLhLZJnz9DfV2dmPI' +
  'AiEA5bQrNex2dabxpnAIYnGnos+aK/Z3xSCBjdam94wpsWA=';

function protobufSeeds(): string[] {
  const codec = new ProtobufCodec(loadSchemas());
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { a: 'b' } }, data: { k: 'v' } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1' } } }] },
    },
    { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 5 },
  ];
  return objects.map((object) => codec.encode(object)?.toString('base64') ?? '');
}

const protobuf: Family = {
  name: 'protobuf',
  count: 702,
  seeds: protobufSeeds(),
  words: base64,
  send: (input) => ({
    method: 'POST',
    path: `${namespace}/configmaps?dryRun=All`,
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/json' },
    body: bytesOf(input),
  }),
};

const certificateRequests: Family = {
  name: 'certificate-request',
  count: 240,
  seeds: [
    request,
    `-----BEGIN CERTIFICATE REQUEST-----\n${request}\n-----END CERTIFICATE REQUEST-----\n`,
    '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n',
  ],
  words: [...base64, '-----BEGIN', '-----END', '-----', 'CERTIFICATE REQUEST', '\n'],
  send: (input) => {
    const text = input.toString('latin1');
    const pem = text.includes('-----')
      ? text
      : `-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----\n`;
    return certificateRequest(Buffer.from(pem, 'latin1'));
  },
};

function certificateRequest(pem: Buffer): FuzzRequest {
  return {
    method: 'POST',
    path: '/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All',
    headers: json,
    body: JSON.stringify({
      metadata: { name: 'c' },
      spec: {
        request: pem.toString('base64'),
        signerName: 'kubernetes.io/kubelet-serving',
        usages: ['digital signature', 'server auth'],
      },
    }),
  };
}

const caBundles: Family = {
  name: 'ca-bundle',
  count: 120,
  seeds: [certificate, `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`],
  words: [...base64, '-----BEGIN', '-----END', 'CERTIFICATE', '\n'],
  send: (input) => {
    const text = input.toString('latin1');
    const pem = text.includes('-----') ? text : `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
    const caBundle = Buffer.from(pem, 'latin1').toString('base64');
    const clientConfig = { url: 'https://a.example.com/', caBundle };
    return definition(
      { schema: { openAPIV3Schema: { type: 'object' } } },
      { conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } } },
    );
  },
};

const jwt = (header: object, claims: object): string =>
  [JSON.stringify(header), JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const issuer = 'https://kubernetes.default.svc.cluster.local';

const bearerTokens: Family = {
  name: 'bearer-token',
  count: 390,
  seeds: [
    jwt({ alg: 'none' }, { iss: issuer, sub: 'system:serviceaccount:default:default' }),
    jwt({ alg: 'ES256', kid: 'x' }, { iss: issuer, aud: [issuer], exp: 9e9, sub: 'system:serviceaccount:a:b' }),
    jwt({ alg: 'HS256', crit: ['b64'], b64: false }, { exp: -1 }),
    'abcdef.0123456789abcdef',
    'a.b.c',
  ],
  words: words('. .. eyJ eyJhbGciOiJub25lIn0 e30 bnVsbA W10 = - _ Bearer'),
  send: (input) => ({
    method: 'GET',
    path: `${namespace}/configmaps`,
    headers: { authorization: `Bearer ${headerValue(input)}` },
    isAnonymous: true,
  }),
};

const knownHeaders = new Set(
  words(
    'accept accept-encoding content-type user-agent impersonate-user impersonate-group impersonate-uid cookie range ' +
      'impersonate-extra-x sec-websocket-protocol sec-websocket-key x-stream-protocol-version if-none-match authorization',
  ),
);

const headers: Family = {
  name: 'header',
  count: 468,
  seeds: [
    'accept: application/json;as=Table;g=meta.k8s.io;v=v1, */*;q=0.5',
    'accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
    'accept: application/vnd.kubernetes.protobuf;type=watch, application/cbor',
    'accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    'accept-encoding: gzip;q=0, identity',
    'content-type: application/json; charset=utf-8',
    'user-agent: kubectl/v1.32.0 (linux/amd64) kubernetes/abc',
    'impersonate-user: system:serviceaccount:default:default',
    'impersonate-extra-x: y',
    'authorization: Basic YTpi',
    'if-none-match: "ABC"',
  ],
  words: words('; , = / q= q=9 *; as= Table g= v= application/json text/plain gzip br : system:masters "'),
  send: (input) => {
    const [, given = '', value = ''] = /^([a-z-]+):?(.*)$/s.exec(headerValue(input)) ?? [];
    const name = knownHeaders.has(given) ? given : 'accept';
    return { method: 'GET', path: `${namespace}/pods`, headers: { [name]: value.trim() } };
  },
};

const crlf = '\r\n';
const upgradeTo = (path: string, ...lines: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...lines, 'Connection: Upgrade', '', ''].join(crlf);
const webSocket = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=='];
const watchSocket = upgradeTo(`${namespace}/configmaps?watch=true&timeoutSeconds=1`, ...webSocket);

const rawHttp: Family = {
  name: 'http',
  count: 390,
  seeds: [
    `GET /version HTTP/1.1${crlf}Host: a${crlf}${crlf}`,
    `POST ${namespace}/configmaps?dryRun=All HTTP/1.1${crlf}Host: a${crlf}Content-Length: 2${crlf}Content-Type: application/json${crlf}${crlf}{}`,
    `POST /api/v1/namespaces HTTP/1.1${crlf}Host: a${crlf}Transfer-Encoding: chunked${crlf}${crlf}2${crlf}{}${crlf}0${crlf}${crlf}`,
    upgradeTo(
      `${namespace}/pods/p/exec?command=a&stdout=true`,
      ...webSocket,
      'Sec-WebSocket-Protocol: v5.channel.k8s.io',
    ),
    upgradeTo(
      `${namespace}/pods/p/portforward?ports=80`,
      'Upgrade: SPDY/3.1',
      'X-Stream-Protocol-Version: portforward.k8s.io',
    ),
    upgradeTo(`${namespace}/pods/p/attach?stdin=true`, ...webSocket, 'Sec-WebSocket-Protocol: base64.channel.k8s.io'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  words: words(
    'GET HTTP/1.1 HTTP/9.9 Content-Length: Transfer-Encoding: chunked Upgrade: websocket SPDY/3.1 Expect: 100-continue',
  ),
  send: (input) => ({ bytes: input }),
};

/** A watch over a WebSocket, and frames that its client sends. */
const webSocketFrames: Family = {
  name: 'websocket-frames',
  count: 312,
  seeds: [
    'gYUAAAAAaGVsbG8=',
    'gv4BAAAAAAA=',
    'iIIAAAAAA+g=',
    'iYAAAAAA',
    'gf8AAAAAAAABAAAAAAA=',
    'AYEAAAAAYYCBAAAAAGI=',
    '8IAAAAAA',
  ],
  words: base64,
  send: (input) => ({ bytes: Buffer.concat([Buffer.from(watchSocket), bytesOf(input)]) }),
};

/** Frames of HTTP/2 after its preface. */
const http2Frames: Family = {
  name: 'http2-frames',
  count: 234,
  seeds: [
    'AAAABAAAAAAA',
    'AAAFAQUAAAABgoaEQQE=',
    'AAAIBgAAAAAAAAAAAAAAAAA=',
    'AAAEAwAAAAABAAAACA==',
    'AAAECAAAAAAAf////w==',
  ],
  words: base64,
  send: (input) => ({ bytes: Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), bytesOf(input)]) }),
};

export const wireFamilies: readonly Family[] = [
  protobuf,
  certificateRequests,
  caBundles,
  bearerTokens,
  headers,
  rawHttp,
  webSocketFrames,
  http2Frames,
];
