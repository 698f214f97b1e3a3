import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec } from '../../shared/api/generated/types.js';
import { podOf } from '../testing/pod-builder.js';
import { SysctlAllowlist, sysctlName } from './sysctl-allowlist.js';

const asking = (...names: string[]): Partial<PodSpec> => ({
  securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) },
});
const refusal = (unsafe: readonly string[], spec: Partial<PodSpec>): string | undefined =>
  new SysctlAllowlist(unsafe).refusal(podOf(spec));

test('a pod may set the safe sysctls, and of the others those that the node allows', () => {
  assert.equal(refusal([], {}), undefined);
  assert.equal(refusal([], asking('net.ipv4.tcp_syncookies', 'kernel.shm_rmid_forced')), undefined);
  assert.equal(refusal([], asking('net/ipv4/tcp_rmem')), undefined);
  assert.equal(
    refusal([], asking('net.ipv4.tcp_rmem', 'kernel.msgmax')),
    'forbidden sysctl: "kernel.msgmax" not allowlisted',
  );
  assert.equal(refusal(['kernel.msg*'], asking('kernel.msgmax')), undefined);
  assert.equal(refusal(['kernel/msgmax'], asking('kernel.msgmax')), undefined);
  assert.match(refusal(['kernel.msgmax'], asking('kernel.msgmaximum')) ?? '', /not allowlisted$/);
  assert.match(refusal(['net.core.*'], asking('net.ipv4.ip_forward')) ?? '', /not allowlisted$/);
});

test('what would be the sysctl of the node itself is refused, allowed or not', () => {
  assert.equal(
    refusal([], { ...asking('net/ipv4/tcp_syncookies'), hostNetwork: true }),
    'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  );
  assert.equal(
    refusal(['kernel.msg*'], { ...asking('kernel.msgmax'), hostIPC: true }),
    'forbidden sysctl: "kernel.msgmax" not allowed with host ipc enabled',
  );
  assert.equal(refusal([], { ...asking('net.ipv4.tcp_syncookies'), hostIPC: true }), undefined);
});

test('a node cannot allow what all pods share, nor what is no name', () => {
  assert.throws(() => new SysctlAllowlist(['vm.swappiness']), /^Error: the sysctl "vm.swappiness" is not known/);
  assert.throws(() => new SysctlAllowlist(['*']), /not known to be namespaced/);
  assert.throws(() => new SysctlAllowlist(['kernel.*']), /not known to be namespaced/);
  assert.throws(() => new SysctlAllowlist(['net.*.x']), /must have at most 253 characters and match regex/);
});

test('names with slashes are names with points, and points within a part are then slashes', () => {
  assert.equal(sysctlName('net/ipv4/conf/eth0.1/arp_filter'), 'net.ipv4.conf.eth0/1.arp_filter');
  assert.equal(sysctlName('net.ipv4.conf.eth0/1.arp_filter'), 'net.ipv4.conf.eth0/1.arp_filter');
});
