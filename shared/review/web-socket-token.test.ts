import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webSocketAuthorization, withoutWebSocketToken } from './web-socket-token.js';

const encoded = (token: string): string =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
const given = (protocols: string | string[], upgrade = 'websocket'): string | undefined =>
  webSocketAuthorization({ upgrade, 'sec-websocket-protocol': protocols });

test('a token among the subprotocols of a WebSocket is as good as the header', () => {
  assert.equal(given(`v5.channel.k8s.io, ${encoded('a.b-c_d')}`), 'Bearer a.b-c_d');
  assert.equal(given([encoded('t'), 'v4.channel.k8s.io'], 'WebSocket'), 'Bearer t');
  assert.equal(given('v5.channel.k8s.io'), undefined);
  assert.equal(given(`v5.channel.k8s.io,${encoded('t')}`, 'SPDY/3.1'), undefined);
  assert.equal(webSocketAuthorization({}), undefined);
});

test('a token that cannot be read, is not alone, or has nothing beside it is a bad one', () => {
  for (const protocols of [
    encoded('t'),
    `${encoded('a')},${encoded('b')},v5.channel.k8s.io`,
    'base64url.bearer.authorization.k8s.io.,v5.channel.k8s.io',
    'base64url.bearer.authorization.k8s.io.a+b=,v5.channel.k8s.io',
    `${encoded('a b')},v5.channel.k8s.io`,
    `${encoded('\u0000')},v5.channel.k8s.io`,
  ])
    assert.equal(given(protocols), 'Bearer', protocols);
});

test('the token is not passed on', () => {
  assert.equal(
    withoutWebSocketToken(`v5.channel.k8s.io,${encoded('t')} , v4.channel.k8s.io`),
    'v5.channel.k8s.io, v4.channel.k8s.io',
  );
});
