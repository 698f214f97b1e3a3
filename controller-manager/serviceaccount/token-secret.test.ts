import assert from 'node:assert/strict';
import { it } from 'node:test';
import { secrets, serviceaccounts } from '../../shared/api/generated/resources.js';
import { eventually } from '../../shared/clock/eventually.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { RawClient } from '../../apiserver/testing/raw-client.js';
import { startManager } from '../testing/manager.js';
import { tokenSecretController } from './token-secret-controller.js';

it('fills a Secret with the token of its account, which works as long as both are there', async () => {
  const manager = await startManager([tokenSecretController]);
  const { admin, server } = { admin: manager.admin, server: manager.server };
  const nobody = new RawClient(server);
  try {
    const namespace = 'default';
    await admin.create(serviceaccounts, { metadata: { name: 'robot', namespace } });
    const annotations = { 'kubernetes.io/service-account.name': 'robot' };
    const type = 'kubernetes.io/service-account-token';
    await admin.create(secrets, { metadata: { name: 'robot-token', namespace, annotations }, type });
    let token = '';
    await eventually(async () => {
      const { data = {}, metadata } = await admin.get(secrets, 'robot-token', namespace);
      assert.ok(metadata.annotations?.['kubernetes.io/service-account.uid']);
      assert.equal(Buffer.from(data['namespace'] ?? '', 'base64').toString(), namespace);
      assert.match(Buffer.from(data['ca.crt'] ?? '', 'base64').toString(), /BEGIN CERTIFICATE/);
      token = Buffer.from(data['token'] ?? '', 'base64').toString();
      assert.notEqual(token, '');
    });
    const code = async (): Promise<number> =>
      (await nobody.send('/version', { headers: { authorization: `Bearer ${token}` } })).code;
    assert.equal(await code(), 200);
    await admin.delete(serviceaccounts, 'robot', namespace);
    await eventually(() =>
      assert.rejects(admin.get(secrets, 'robot-token', namespace), (error: unknown) => isNotFound(error)),
    );
    assert.equal(await code(), 401);
  } finally {
    nobody.close();
    await manager.close();
  }
});
