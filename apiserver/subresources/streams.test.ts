import assert from 'node:assert/strict';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { createCertificateAuthority, issueCertificate } from '../../shared/pki/certificate.js';
import { serverWorld } from '../testing/server-world.js';

/** What a kubelet would see of a request. */
interface Seen {
  url: string;
  user: string;
  authorization: string | undefined;
}

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - 1000),
  notAfter: new Date(Date.now() + 1e8),
});

describe('streams by way of the kubelet', () => {
  const world = serverWorld();
  const { admin } = world;
  let kubelet: ReturnType<typeof createServer>;
  let backend: Server;
  const seen: Seen[] = [];
  const core = '/api/v1/namespaces/default';
  const note = (url: string | undefined, socket: Duplex, authorization: string | undefined): void => {
    const user = (socket as TLSSocket).getPeerCertificate().subject.CN;
    seen.push({ url: url ?? '', user: [user].flat().join(), authorization });
  };

  before(async () => {
    const serving = await issueCertificate(world.server.caKeyPair, {
      subject: { commonName: 'system:node:node-1' },
      usages: ['server'],
      ipAddresses: ['127.0.0.1'],
      ...validity(),
    });
    const tls = { cert: serving.certificate, key: serving.key, ca: world.server.ca, requestCert: true };
    kubelet = createServer(tls, (asked, answer) => {
      note(asked.url, asked.socket, asked.headers.authorization);
      if (asked.url?.includes('/missing')) {
        answer.writeHead(404).end('container "missing" in pod "p" is not available');
        return;
      }
      answer.writeHead(200, { 'content-type': 'text/plain' });
      answer.write('one\n');
      setImmediate(() => answer.end('two\n'));
    });
    kubelet.on('upgrade', (asked, socket, head) => {
      note(asked.url, socket, asked.headers.authorization);
      if (asked.url?.startsWith('/attach')) {
        socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 7\r\n\r\nrefused');
        return;
      }
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: ${asked.headers.upgrade}\r\nconnection: Upgrade\r\n\r\n`,
      );
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
    backend = createHttp((asked, answer) => {
      if (asked.url === '/plain') answer.socket?.end('HTTP/1.0 200 OK\nContent-Type: text/plain\n\nplain');
      else if (asked.url === '/jump') answer.writeHead(302, { location: '/landed' }).end();
      else answer.writeHead(200, { 'content-type': 'text/html' }).end(`<a href="/x">${asked.method} ${asked.url}</a>`);
    });
    await Promise.all([kubelet, backend].map((one) => new Promise<void>((done) => one.listen(0, '127.0.0.1', done))));
    await populate();
  });
  after(async () => {
    kubelet.closeAllConnections();
    kubelet.close();
    backend.closeAllConnections();
    backend.close();
  });

  async function populate(): Promise<void> {
    const kubeletPort = (kubelet.address() as AddressInfo).port;
    const containerPort = (backend.address() as AddressInfo).port;
    const merge = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } };
    await admin.send('/api/v1/nodes', { body: { metadata: { name: 'node-1' } } });
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    };
    await admin.send('/api/v1/nodes/node-1/status', { ...merge, body: { status } });
    const containers = [{ name: 'c', image: 'i', ports: [{ containerPort }] }];
    await admin.send(`${core}/pods`, { body: { metadata: { name: 'p' }, spec: { nodeName: 'node-1', containers } } });
    const two = [
      { name: 'a', image: 'i' },
      { name: 'missing', image: 'i' },
    ];
    await admin.send(`${core}/pods`, {
      body: { metadata: { name: 'two' }, spec: { nodeName: 'node-1', containers: two } },
    });
    await admin.send(`${core}/pods`, { body: { metadata: { name: 'waiting' }, spec: { containers } } });
    const running = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
    const answer = await admin.send(`${core}/pods/p/status`, { ...merge, body: { status: running } });
    assert.equal(answer.code, 200, answer.text);
  }

  /** Asks for an upgrade; what comes back after sending `text`, or the refusal. */
  function upgrade(path: string, text: string): Promise<{ code: number; text: string }> {
    const { certificate: cert, key } = world.server.admin;
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', authorization: 'Bearer secret' };
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: world.server.port,
        path,
        method: 'POST',
        cert,
        key,
        ca: world.server.ca,
        headers,
      });
      sent.on('error', reject);
      sent.on('upgrade', (answer, socket) => {
        socket.write(text);
        socket.once('data', (chunk: Buffer) => {
          socket.destroy();
          resolve({ code: answer.statusCode ?? 0, text: chunk.toString() });
        });
      });
      sent.on('response', (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
        answer.on('end', () => resolve({ code: answer.statusCode ?? 0, text: body }));
      });
      sent.end();
    });
  }

  it('streams the log of the only container, under the name of the server', async () => {
    const answer = await admin.send(`${core}/pods/p/log?follow=true&tailLines=5&insecureSkipTLSVerifyBackend=true`);
    assert.equal(answer.text, 'one\ntwo\n');
    const last = seen.at(-1);
    assert.equal(last?.url, '/containerLogs/default/p/c?follow=true&tailLines=5');
    assert.equal(last?.user, 'kube-apiserver-kubelet-client');
  });

  it('asks for a container where there are several, and passes refusals on', async () => {
    const vague = await admin.send(`${core}/pods/two/log`);
    assert.equal(vague.json?.['message'], 'a container name must be specified for pod two, choose one of: [a missing]');
    const wrong = await admin.send(`${core}/pods/two/log?container=x`);
    assert.equal(wrong.json?.['message'], 'container x is not valid for pod two');
    const missing = await admin.send(`${core}/pods/two/log?container=missing`);
    assert.equal(missing.code, 404);
    assert.equal(missing.json?.['message'], 'container "missing" in pod "p" is not available');
    assert.equal((await admin.send(`${core}/pods/waiting/log`)).text, '');
  });

  /** The messages of a WebSocket until it is closed, or the code with which it was refused. */
  function listen(path: string, protocol: string): Promise<{ messages: string[]; protocol: string } | number> {
    const { certificate: cert, key } = world.server.admin;
    const url = `wss://127.0.0.1:${world.server.port}${core}/pods/${path}`;
    const socket = new WebSocket(url, protocol, { cert, key, ca: world.server.ca });
    const messages: string[] = [];
    return new Promise((resolve, reject) => {
      socket.on('message', (data: Buffer) => void messages.push(data.toString()));
      socket.on('close', () => resolve({ messages, protocol: socket.protocol }));
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0));
      socket.on('error', reject);
    });
  }

  it('streams a log over WebSocket, in bytes or in base64', async () => {
    const binary = { messages: ['one\n', 'two\n'], protocol: 'binary.k8s.io' };
    assert.deepEqual(await listen('p/log?follow=true', 'binary.k8s.io'), binary);
    const base64 = await listen('p/log', 'base64.binary.k8s.io');
    assert.deepEqual(base64, { messages: ['b25lCg==', 'dHdvCg=='], protocol: 'base64.binary.k8s.io' });
    assert.deepEqual(await listen('waiting/log', 'binary.k8s.io'), { messages: [], protocol: 'binary.k8s.io' });
    assert.equal(await listen('two/log?container=missing', 'binary.k8s.io'), 404);
    assert.equal(await listen('p/log', 'chat'), 403);
  });

  it('tells a refusal of the kubelet as a Status', async () => {
    const { code, text } = await upgrade(`${core}/pods/p/attach?stdout=true`, '');
    const { kind, message, reason } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(
      { code, kind, message, reason },
      { code: 400, kind: 'Status', message: 'refused', reason: 'BadRequest' },
    );
  });

  it('joins an upgraded connection with that of the kubelet', async () => {
    const path = `${core}/pods/p/exec?command=echo&command=a%20b&stdin=true&stdout=true&container=c`;
    assert.deepEqual(await upgrade(path, 'hello'), { code: 101, text: 'hello' });
    const last = seen.at(-1);
    assert.equal(last?.url, '/exec/default/p/c?input=1&output=1&command=echo&command=a+b');
    assert.equal(last?.authorization, undefined);
    assert.deepEqual(await upgrade(`${core}/pods/p/portforward?ports=80`, 'x'), { code: 101, text: 'x' });
    assert.equal(seen.at(-1)?.url, '/portForward/default/p?port=80');
  });

  it('refuses streams that cannot be', async () => {
    const code = async (path: string): Promise<number> => (await upgrade(`${core}/pods/${path}`, '')).code;
    assert.equal(await code('p/attach?stdout=true'), 400);
    assert.equal(await code('waiting/exec?command=ls&stdout=true'), 400);
    assert.equal(await code('none/exec?command=ls&stdout=true'), 404);
    assert.equal(await code('p/exec?stdout=true'), 400);
    assert.equal((await admin.send(`${core}/pods/p/exec?command=ls&stdout=true`)).code, 400);
    const stranger = await world.clientOf('stranger');
    assert.equal((await stranger.send(`${core}/pods/p/exec?command=ls`, { method: 'POST' })).code, 403);
  });

  it('proxies to a pod and keeps links and redirects below the proxy', async () => {
    const base = `${core}/pods/p/proxy`;
    const page = await admin.send(`${base}/a/b?q=1`);
    assert.equal(page.text, `<a href="${base}/x">GET /a/b?q=1</a>`);
    const jump = await admin.send(`${base}/jump`);
    assert.equal(jump.headers.location, `${base}/landed`);
    assert.equal((await admin.send(`${base}/plain`)).text, 'plain', 'lines may end with LF alone');
    assert.equal((await admin.send(base)).code, 301);
    assert.equal((await admin.send(`${core}/pods/p:1/proxy/`)).code, 503);
    assert.equal((await admin.send(`${core}/services/none/proxy/`)).code, 404);
  });

  it('proxies to a pod over TLS where the scheme says so, whoever signed its certificate', async () => {
    const unknown = await createCertificateAuthority({ subject: { commonName: 'unknown' }, ...validity() });
    const pair = await issueCertificate(unknown, { subject: { commonName: 'x' }, usages: ['server'], ...validity() });
    const secure = createServer({ cert: pair.certificate, key: pair.key }, (asked, answer) =>
      answer.end(`over TLS ${asked.url}`),
    );
    await new Promise<void>((done) => secure.listen(0, '127.0.0.1', done));
    try {
      const { port } = secure.address() as AddressInfo;
      assert.equal((await admin.send(`${core}/pods/https:p:${port}/proxy/a`)).text, 'over TLS /a');
    } finally {
      secure.closeAllConnections();
      secure.close();
    }
  });
});
