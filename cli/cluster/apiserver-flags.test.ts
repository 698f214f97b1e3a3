import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { identityFlags, readAuditPolicy, servingFlags } from '../../apiserver/testing/flags.js';
import { auditFiles, defaultAuditPolicy, ensureAuditPolicy, passedFlags, readPassedFlags } from './apiserver-flags.js';
import { kubeletFlagDefinitions, readKubeletFlags } from './kubelet-flags.js';
import { plannedProcesses } from './processes.js';
import { clusterFiles, type ClusterState } from './state.js';

describe('flags that up passes on to the API server', () => {
  it('are known there', () => {
    const known = [...identityFlags, ...servingFlags].map(({ flags }) => flags.split(' ', 1)[0]);
    for (const { name } of passedFlags) assert.ok(known.includes(`--${name}`), name);
  });

  it('reach its command line, files by their whole path, and repeated ones each time', () => {
    const apiserverFlags = readPassedFlags({
      oidcIssuerUrl: 'https://issuer',
      oidcRequiredClaim: ['a=b', 'c=d'],
      oidcCaFile: 'package.json',
      name: 'x',
    });
    const state = { name: 'c', role: 'server', nodes: [], apiserverFlags } as unknown as ClusterState;
    const [apiserver] = plannedProcesses(clusterFiles('/home', 'c'), state);
    const line = apiserver?.args.join(' ') ?? '';
    assert.match(line, /--oidc-issuer-url https:\/\/issuer --oidc-required-claim a=b --oidc-required-claim c=d/);
    assert.ok(line.includes(`--oidc-ca-file ${resolve('package.json')}`));
    assert.match(line, /--audit-log-path \/home\/\.knarr\/c\/logs\/audit\.log/);
  });

  it('that name no file are refused', () => {
    assert.throws(
      () => readPassedFlags({ auditPolicyFile: '/nowhere' }),
      /--audit-policy-file \/nowhere: no such file/,
    );
  });
});

describe('flags that up and join pass on to kubelets', () => {
  it('reach the command line of each', () => {
    const kubeletFlags = readKubeletFlags({ allowedUnsafeSysctls: 'net.core.*,kernel.msgmax', nodeLabels: 'a=b' });
    assert.deepEqual(
      Object.keys(kubeletFlags),
      kubeletFlagDefinitions.map(({ name }) => name),
    );
    const nodes = [{ name: 'node-1', ip: '192.0.2.1', index: 0, kubeletHealthPort: 1, proxyHealthPort: 2 }];
    const state = { name: 'c', role: 'agent', nodes, kubeletFlags } as unknown as ClusterState;
    const [kubelet] = plannedProcesses(clusterFiles('/home', 'c'), state);
    assert.match(
      kubelet?.args.join(' ') ?? '',
      / --allowed-unsafe-sysctls net\.core\.\*,kernel\.msgmax --node-labels a=b$/,
    );
    assert.deepEqual(readKubeletFlags({}), {});
  });
});

describe('the default audit policy', () => {
  const policy = readAuditPolicy(defaultAuditPolicy);
  const level = (user: string, verb: string, what: string, groups: string[] = []): string => {
    const [group = '', resource = '', subresource = ''] = what.split('/');
    const base = { user: { name: user, groups }, verb, isResourceRequest: true, group, version: 'v1', namespace: 'n' };
    return policy.planFor({ ...base, resource, subresource, name: 'x', path: '' }).level;
  };

  it('tells writes, and reads of secrets; not what the cluster does every second', () => {
    assert.equal(level('jane', 'create', 'apps/deployments'), 'Metadata');
    assert.equal(level('jane', 'get', '/secrets'), 'Metadata');
    assert.equal(level('jane', 'get', '/pods/exec'), 'Metadata');
    assert.equal(level('jane', 'list', '/pods'), 'None');
    assert.equal(level('system:node:a', 'get', '/secrets', ['system:nodes']), 'None');
    assert.equal(level('system:node:a', 'update', 'coordination.k8s.io/leases', ['system:nodes']), 'None');
    assert.equal(level('system:node:a', 'patch', '/pods/status', ['system:nodes']), 'None');
  });

  it('is written once, for the owner alone, and kept when somebody has changed it', () => {
    const home = mkdtempSync(join(tmpdir(), 'knarr-audit-'));
    try {
      const files = clusterFiles(home, 'c');
      ensureAuditPolicy(files);
      const { policy: path } = auditFiles(files);
      assert.ok(existsSync(path));
      assert.equal(statSync(path).mode & 0o777, 0o600);
      writeFileSync(path, 'mine');
      ensureAuditPolicy(files);
      assert.equal(readFileSync(path, 'utf8'), 'mine');
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
