import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceCIDR } from '../shared/api/generated/types.js';
import { planServiceRanges } from './service-ranges.js';

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const cidr = (name: string, ...cidrs: string[]): ServiceCIDR => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { ...filled, name },
  spec: { cidrs },
});
const ranges = (...cidrs: ServiceCIDR[]): string[] =>
  planServiceRanges(cidrs).elements.map(({ set, key }) => `${set}: ${key}`);

test('every ServiceCIDR has its range in the table, those of the other family none', () => {
  assert.deepEqual(ranges(cidr('kubernetes', '10.96.0.0/16', 'fd00:10:96::/112'), cidr('more', '10.97.0.0/24')), [
    'service_ranges: 10.96.0.0/16',
    'service_ranges: 10.97.0.0/24',
  ]);
  assert.deepEqual(ranges(), []);
});

test('of ranges inside each other only the widest is written, once: the kernel takes no overlaps', () => {
  const nested = [cidr('narrow', '10.96.7.0/24'), cidr('wide', '10.96.0.0/12'), cidr('twin', '10.96.0.0/12')];
  assert.deepEqual(ranges(...nested), ['service_ranges: 10.96.0.0/12']);
});

test('neighbours stay two', () => {
  assert.deepEqual(ranges(cidr('a', '10.96.0.0/24'), cidr('b', '10.96.1.0/24')), [
    'service_ranges: 10.96.0.0/24',
    'service_ranges: 10.96.1.0/24',
  ]);
});
