import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeStatus } from '../../shared/api/generated/types.js';
import { nodeEvents } from './node-events.js';

const status = (conditions: Readonly<Record<string, string>>, bootID = 'b'): NodeStatus => ({
  conditions: Object.entries(conditions).map(([type, value]) => ({ type, status: value })),
  nodeInfo: {
    architecture: 'amd64',
    bootID,
    containerRuntimeVersion: '',
    kernelVersion: '',
    kubeProxyVersion: '',
    kubeletVersion: '',
    machineID: '',
    operatingSystem: 'linux',
    osImage: '',
    systemUUID: '',
  },
});
const told = (before: NodeStatus | undefined, after: NodeStatus): string[] =>
  nodeEvents('n', before, after).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
const normal = (reason: string): string => `Normal ${reason}: Node n status is now: ${reason}`;

test('a new node tells what it has; that it is not ready yet is no news', () => {
  assert.deepEqual(told(undefined, status({ MemoryPressure: 'False', DiskPressure: 'False', Ready: 'False' })), [
    normal('NodeHasSufficientMemory'),
    normal('NodeHasNoDiskPressure'),
  ]);
});

test('changes of conditions are told, and nothing where nothing changed', () => {
  const before = status({ PIDPressure: 'False', Ready: 'False' });
  assert.deepEqual(told(before, status({ PIDPressure: 'True', Ready: 'True' })), [
    normal('NodeHasInsufficientPID'),
    normal('NodeReady'),
  ]);
  assert.deepEqual(told(status({ Ready: 'Unknown' }), status({ Ready: 'False' })), [normal('NodeNotReady')]);
  assert.deepEqual(told(before, before), []);
});

test('another boot is a warning', () => {
  assert.deepEqual(told(status({}), status({}, 'c')), ['Warning Rebooted: Node n has been rebooted, boot id: c']);
});
