import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { addressPolicy } from './address-policy.js';
import { ByteBudget } from './byte-budget.js';
import { pictureFetch } from './picture-fetch.js';
import { RequestError } from './request-error.js';

const MEBIBYTE = 1024 * 1024;
let server: Server;
let port: number;
let requests: string[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  requests.push(`${request.headers.host} ${request.url}`);
  const [, action = '', argument = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
  switch (action) {
    case 'picture':
      response.end('picture');
      break;
    case 'to':
      response.writeHead(302, { location: argument }).end();
      break;
    case 'announced':
      response.writeHead(200, { 'content-length': 50 * MEBIBYTE }).write('x');
      break;
    case 'endless':
      for (let count = 0; count < 64; count++) response.write(Buffer.alloc(64 * 1024));
      break;
    case 'silent':
      response.write('x');
      break;
    default:
      response.writeHead(404).end();
  }
}

before(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const NAMES: Record<string, string[]> = {
  'pictures.example': ['127.0.0.1'],
  'inside.example': ['127.0.0.2'],
  'mixed.example': ['127.0.0.1', '10.244.1.7'],
};

/** As the gateway's, but 127.0.0.1 stands for the public Internet. */
function fetcher(timeoutMs = 5000): (url: string) => Promise<Buffer> {
  const fetch = pictureFetch({
    resolve: async (hostname) => {
      const addresses = NAMES[hostname];
      if (addresses === undefined) throw Object.assign(new Error('no name'), { code: 'ENOTFOUND' });
      return addresses.map((address) => ({ address, family: 4 }));
    },
    isAllowed: addressPolicy({ clusterRanges: ['10.244.0.0/16', '10.96.0.0/12'], allowedRanges: ['127.0.0.1/32'] }),
    maxBytes: MEBIBYTE,
    timeoutMs,
    maxRedirects: 3,
  });
  return (url) => fetch(url, new ByteBudget(4 * MEBIBYTE).reserve(0));
}

async function refusal(url: string, timeoutMs?: number): Promise<[number, string]> {
  requests = [];
  const error: unknown = await fetcher(timeoutMs)(url).then(
    () => assert.fail(`${url} was fetched`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof RequestError, String(error));
  assert.match(error.message, /^[A-Z].*\.$/);
  return [error.status, error.message];
}

const on = (host: string, path: string): string => `http://${host}:${port}${path}`;
const redirectTo = (target: string): string => on('pictures.example', `/to/${encodeURIComponent(target)}`);

test('a picture is fetched from the checked address, under the name of the URL, over redirects', async () => {
  requests = [];
  assert.equal((await fetcher()(redirectTo('/picture'))).toString(), 'picture');
  assert.deepEqual(
    requests.map((line) => line.split(' ')[0]),
    [`pictures.example:${port}`, `pictures.example:${port}`],
  );
});

test('addresses inside are refused however they are written, without a connection', async () => {
  const hosts = [
    'inside.example', '127.0.0.2', '2130706434', '0x7f.0.0.2', '127.2', '[::1]', '[::ffff:127.0.0.2]', '[::ffff:7f00:2]',
    '10.244.3.4', '10.96.0.1', '10.111.2.3', '169.254.169.254', '192.168.1.1', '172.17.0.1', '0.0.0.0', '[fe80::1]',
    '[fd00:ec2::254]', '[64:ff9b::a9fe:a9fe]', '224.0.0.1', '255.255.255.255', '100.100.100.200', 'mixed.example',
  ]; // prettier-ignore
  for (const host of hosts) {
    assert.equal((await refusal(on(host, '/picture')))[0], 403, host);
    assert.deepEqual(requests, []);
  }
});

test('a redirect to an address inside is refused as well', async () => {
  for (const target of [
    on('127.0.0.2', '/picture'),
    on('inside.example', '/picture'),
    'http://169.254.169.254/latest/meta-data/',
  ]) {
    assert.equal((await refusal(redirectTo(target)))[0], 403, target);
    assert.equal(requests.length, 1);
  }
  for (const target of ['file:///etc/passwd', 'ftp://pictures.example/x', 'http://a:b@pictures.example/']) {
    assert.equal((await refusal(redirectTo(target)))[0], 400, target);
  }
});

test('a circle of redirects ends', async () => {
  const [status, sentence] = await refusal(on('pictures.example', `/to/${encodeURIComponent('.')}`));
  assert.equal(status, 422);
  assert.match(sentence, /status 404|redirects more than 3 times/);
  const circle = redirectTo(redirectTo(redirectTo(redirectTo(redirectTo('/picture')))));
  assert.match((await refusal(circle))[1], /redirects more than 3 times/);
});

test('too much, announced or not, and too slow are refused', async () => {
  assert.deepEqual(await refusal(on('pictures.example', '/announced')), [413, 'The picture is larger than 1 MB.']);
  assert.deepEqual(await refusal(on('pictures.example', '/endless')), [413, 'The picture is larger than 1 MB.']);
  assert.deepEqual(await refusal(on('pictures.example', '/silent'), 100), [
    422,
    'The picture did not arrive within 0.1 seconds.',
  ]);
});

test('what cannot be reached is told in a sentence', async () => {
  assert.deepEqual(await refusal('http://nowhere.example/x'), [
    422,
    'The URL cannot be reached: the name does not exist.',
  ]);
  assert.deepEqual(await refusal('http://127.0.0.1:1/x'), [
    422,
    'The URL cannot be reached: the connection was refused.',
  ]);
  assert.deepEqual(await refusal(on('pictures.example', '/absent')), [
    422,
    'The URL answers with status 404, not with a picture.',
  ]);
  assert.match((await refusal(`https://127.0.0.1:${port}/picture`))[1], /^The URL cannot be reached: the connection/);
  assert.equal((await refusal('no url'))[0], 400);
  assert.equal((await refusal('javascript:alert(1)'))[0], 400);
});

test('bytes that are not free are not fetched', async () => {
  const budget = new ByteBudget(3);
  const fetch = pictureFetch({
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    isAllowed: () => true,
    maxBytes: MEBIBYTE,
    timeoutMs: 5000,
    maxRedirects: 0,
  });
  const reservation = budget.reserve(0);
  await assert.rejects(fetch(on('pictures.example', '/picture'), reservation), { status: 503 });
  reservation.release();
  budget.reserve(3);
  assert.throws(() => budget.reserve(1), { status: 503 });
});

test('a range that is none is refused at the start', () => {
  assert.throws(() => addressPolicy({ clusterRanges: ['10.0.0.0'], allowedRanges: [] }), /10\.0\.0\.0 is not a range/);
});
