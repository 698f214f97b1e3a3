import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { silentLog } from '../../shared/log/log.js';
import { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { JwtConfiguration } from './authentication-configuration.js';
import type { TokenAuthenticator } from './authenticator.js';
import { ConfiguredIssuers } from './configured-issuers.js';

const header = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
const trusting = (name: string, more = ''): string =>
  `${header}jwt: [{issuer: {url: "https://${name}", audiences: [${name}]}, claimMappings: {username: {claim: sub, prefix: ""}}}]\n${more}`;
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

describe('the issuers of a file', () => {
  let directory: string;
  let file: string;
  let issuers: ConfiguredIssuers;
  let metrics: MetricsRegistry;
  const clock = new FakeClock(1_000_000);

  /** Believes a token that is the issuer's audience. */
  const authenticatorOf = ({ issuer }: JwtConfiguration): Promise<TokenAuthenticator> =>
    Promise.resolve({
      authenticate: (token, audiences) =>
        Promise.resolve(
          token === issuer.audiences[0] ? { user: { name: issuer.url, groups: [] }, audiences } : undefined,
        ),
    });
  const load = (): Promise<ConfiguredIssuers> =>
    ConfiguredIssuers.load({ file, ownIssuers: [], authenticatorOf, clock, log: silentLog, serverId: 'one' });
  const nameOf = async (token: string): Promise<string | undefined> =>
    (await issuers.authenticate(token, []))?.user.name;
  const replace = async (content: string): Promise<void> => {
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  };
  const told = (name: string, labels: string): string | undefined => {
    const line = metrics
      .render()
      .split('\n')
      .find((one) => one.startsWith(`apiserver_authentication_config_controller_${name}{`) && one.includes(labels));
    return line?.slice(line.lastIndexOf(' ') + 1);
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'knarr-issuers-'));
    file = join(directory, 'authentication.yaml');
  });
  after(() => rm(directory, { recursive: true, force: true }));
  beforeEach(async () => {
    await writeFile(file, trusting('a'));
    issuers = await load();
    metrics = new MetricsRegistry();
    issuers.addMetrics(metrics);
    issuers.start();
  });
  afterEach(() => issuers.stop());

  it('change with it, and those that are gone are not believed any more', async () => {
    assert.equal(await nameOf('a'), 'https://a');
    assert.equal(told('automatic_reloads_total', 'success'), undefined);
    await replace(trusting('b'));
    await eventually(async () => assert.equal(await nameOf('b'), 'https://b'));
    assert.equal(await nameOf('a'), undefined);
    assert.equal(told('automatic_reloads_total', `apiserver_id_hash="${sha256('one')}",status="success"`), '1');
    assert.equal(told('automatic_reload_last_timestamp_seconds', 'success'), '1000');
    assert.equal(told('last_config_info', sha256(trusting('b'))), '1');
    assert.equal(told('last_config_info', sha256(trusting('a'))), undefined);
  });

  it('stay as they are while the file is wrong, which is counted once', async () => {
    await replace(`${header}jwt: [{}]`);
    await eventually(() => assert.equal(told('automatic_reloads_total', 'failure'), '1'));
    assert.equal(await nameOf('a'), 'https://a');
    assert.equal(told('last_config_info', sha256(trusting('a'))), '1');
    await clock.advance(61_000);
    await clock.advance(61_000);
    assert.equal(told('automatic_reloads_total', 'failure'), '1');
    await replace(trusting('c'));
    await eventually(async () => assert.equal(await nameOf('c'), 'https://c'));
  });

  it('are not taken where they would let in others who show nothing', async () => {
    await replace(trusting('d', 'anonymous: {enabled: true}'));
    await eventually(() => assert.equal(told('automatic_reloads_total', 'failure'), '1'));
    assert.equal(await nameOf('d'), undefined);
    assert.equal(issuers.letsInAnonymous, undefined);
  });

  it('are looked for again where the file cannot be read', async () => {
    await rm(file);
    await eventually(() => assert.equal(told('automatic_reloads_total', 'failure'), '1'));
    assert.equal(await nameOf('a'), 'https://a');
    await clock.advance(61_000);
    await eventually(() => assert.equal(told('automatic_reloads_total', 'failure'), '2'));
  });

  it('fail the start by the name of the file', async () => {
    await writeFile(file, 'kind: Other\n');
    await assert.rejects(load(), new RegExp(`^Error: ${file}: the authentication configuration is not of apiVersion`));
  });
});
