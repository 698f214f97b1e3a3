import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { createCertificateAuthority } from '../shared/pki/certificate.js';
import { auditFlags, type AuditFlags, loadAudit } from './audit-flags.js';
import { FakeService } from './testing/fake-service.js';
import { RawClient } from './testing/raw-client.js';
import { testFolder } from './testing/test-folder.js';
import { startTestServer } from './testing/test-server.js';

const camel = (flags: string): string =>
  (flags.slice(2).split(' ')[0] ?? '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
const usual = Object.fromEntries(auditFlags.map(({ flags, default: value }) => [camel(flags), value]));
const flagsWith = (more: Partial<AuditFlags>): AuditFlags => ({ ...usual, ...more }) as AuditFlags;

test('events reach the service that a kubeconfig names, as lists', async () => {
  const folder = testFolder('audit-flags');
  const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createCertificateAuthority({ subject: { commonName: 'outside' }, ...validity });
  const taken: { verb: string; requestURI: string; stage: string }[] = [];
  const service = await FakeService.start(ca, (path, body) => {
    const { kind, apiVersion, items } = body as { kind: string; apiVersion: string; items: typeof taken };
    assert.deepEqual([path, kind, apiVersion], ['/events', 'EventList', 'audit.k8s.io/v1']);
    taken.push(...items);
    return { code: 200, body: '' };
  });
  const file = (name: string, content: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const cluster = {
    server: `${service.url}/events`,
    'certificate-authority-data': Buffer.from(ca.certificate).toString('base64'),
  };
  const auditWebhookConfigFile = file('webhook.conf', {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  });
  const rules = [{ level: 'Metadata' }];
  const auditPolicyFile = file('policy.json', { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules });
  const flags = flagsWith({ auditPolicyFile, auditWebhookConfigFile, auditWebhookBatchMaxWait: 10 });
  const audit = await loadAudit(flags, systemClock);
  assert.ok(audit);
  const server = await startTestServer({ identity: { audit } });
  const nobody = new RawClient(server);
  await nobody.send('/api/v1/nodes');
  await eventually(() =>
    assert.ok(taken.some((event) => event.requestURI === '/api/v1/nodes' && event.stage === 'ResponseComplete')),
  );
  nobody.close();
  await server.close();
  service.close();
});

test('what cannot be is refused by its name', async () => {
  const load = (more: Partial<AuditFlags>): Promise<unknown> => loadAudit(flagsWith(more), systemClock);
  assert.equal(await load({}), undefined);
  await assert.rejects(load({ auditLogPath: '-' }), /--audit-log-path needs --audit-policy-file/);
  await assert.rejects(load({ auditWebhookConfigFile: 'x' }), /--audit-webhook-config-file needs --audit-policy-file/);
  const policy = join(testFolder('audit-mode'), 'policy.json');
  const content = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None' }] };
  writeFileSync(policy, JSON.stringify(content));
  const blocking = { auditPolicyFile: policy, auditWebhookConfigFile: 'x', auditWebhookMode: 'blocking' };
  await assert.rejects(load(blocking), /invalid audit webhook mode blocking, allowed modes are "batch"/);
});
