import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../shared/api/generated/types.js';
import { resizeEvent } from './resize-events.js';
import type { PodResize } from './resize.js';

const metadata = { name: 'p', namespace: 'default', uid: 'u', generation: 2 };
const resources = { requests: { memory: '1Gi', cpu: '2' }, limits: { cpu: '2' } };
const pod = {
  metadata: { ...metadata, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { initContainers: [{ name: 'init' }], containers: [{ name: 'app', resources }] },
} as unknown as Pod;
const details =
  '{"initContainers":[{"name":"init","resources":{}}],' +
  '"containers":[{"name":"app","resources":{"limits":{"cpu":"2"},"requests":{"cpu":"2","memory":"1Gi"}}}],"generation":2';
const underWay: PodResize = { type: 'PodResizeInProgress', generation: 2 };
const told = (before?: PodResize, after?: PodResize): string | undefined => {
  const event = resizeEvent(pod, before, after);
  return event && `${event.type} ${event.reason} ${event.message}`;
};

test('a resize is told when it starts and when it is done, once each', () => {
  assert.equal(told(undefined, underWay), `Normal ResizeStarted Pod resize started: ${details}}`);
  assert.equal(told(underWay, underWay), undefined);
  assert.equal(told(underWay, undefined), `Normal ResizeCompleted Pod resize completed: ${details}}`);
  assert.equal(told(undefined, undefined), undefined);
});

test('what waits, cannot be or failed is told with its reason, and again when the reason is another', () => {
  const deferred: PodResize = { type: 'PodResizePending', reason: 'Deferred', message: 'no room', generation: 2 };
  const warning = `Warning ResizeDeferred Pod resize Deferred: ${details},"error":"no room"}`;
  assert.equal(told(undefined, deferred), warning);
  assert.equal(told(deferred, { ...deferred }), undefined);
  assert.match(told(deferred, { ...deferred, message: 'less room' }) ?? '', /"error":"less room"}$/);
  assert.match(
    told(deferred, { ...deferred, reason: 'Infeasible' }) ?? '',
    /^Warning ResizeInfeasible Pod resize Infeasible: /,
  );
  assert.match(told(deferred, underWay) ?? '', /^Normal ResizeStarted /);
  assert.equal(told(deferred, undefined), undefined, 'taken back');
  const failed: PodResize = { ...underWay, reason: 'Error', message: 'refused' };
  assert.equal(told(underWay, failed), `Warning ResizeError Pod resize error: ${details},"error":"refused"}`);
  assert.equal(told(failed, failed), undefined);
  assert.match(told(failed, { ...underWay, generation: 3 }) ?? '', /^Normal ResizeStarted /);
});
