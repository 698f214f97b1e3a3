import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from './flow-catalogue.js';
import type { FlowRequest } from './flow-control.js';
import { dumpPriorityLevels, dumpQueues, dumpRequests, type LevelDump, type TrackedRequest } from './flow-dump.js';

const rejected = { 'queue-full': 2, 'concurrency-limit': 1, 'time-out': 4, cancelled: 5 };
const schema = { name: 'apps', distinguish: () => 'jane' } as unknown as Schema;
const info = {
  verb: 'list',
  path: '/apis/apps/v1/namespaces/a/deployments',
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  subresource: '',
  namespace: 'a',
  name: '',
};
const request = { user: { name: 'jane', groups: [] }, info } as unknown as FlowRequest;
const arrivedMs = Date.UTC(2026, 0, 2, 3, 4, 5, 600);
const tracked = (queue: number, startedMs?: number): TrackedRequest => ({
  schema,
  request,
  seats: 2,
  queue,
  arrivedMs,
  startedMs,
});
const idle: LevelDump = {
  name: 'idle',
  queues: [],
  queueCount: 0,
  virtualMs: 0,
  waiting: 0,
  running: 0,
  dispatched: 7,
  rejected: { 'queue-full': 0, 'concurrency-limit': 0, 'time-out': 0, cancelled: 0 },
  requests: [],
};
const busy: LevelDump = {
  ...idle,
  name: 'busy',
  queues: [{ number: 1, waiting: 2, running: 1, usedSeats: 2, waitingSeats: 4, workMs: 12, nextStartMs: 1_500 }],
  queueCount: 3,
  virtualMs: 250,
  waiting: 2,
  running: 1,
  rejected,
  requests: [tracked(1, Date.UTC(2026, 0, 2, 3, 4, 6)), tracked(1), tracked(1)],
};

describe('dumps of flow control', () => {
  it('have a line for each level, in columns', () => {
    assert.equal(
      dumpPriorityLevels([busy, idle]),
      `PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests, DispatchedRequests, RejectedRequests, TimedoutRequests, CancelledRequests
busy,              1,            false,  false,       2,               1,                 7,                  3,                4,                5
idle,              0,            true,   false,       0,               0,                 7,                  0,                0,                0
`,
    );
  });

  it('have a line for each queue, idle ones too', () => {
    assert.equal(
      dumpQueues([busy, idle]),
      `PriorityLevelName, Index,  PendingRequests, ExecutingRequests, SeatsInUse, NextDispatchR, InitialSeatsSum, MaxSeatsSum, TotalWorkSum
busy,              0,      0,               0,                 0,          0.25000000ss,  0,               0,           0.00000000ss
busy,              1,      2,               1,                 2,          1.50000000ss,  4,               4,           0.01200000ss
busy,              2,      0,               0,                 0,          0.25000000ss,  0,               0,           0.00000000ss
`,
    );
  });

  it('have a line for each request: those that wait by their place, the others with -1', () => {
    assert.equal(
      dumpRequests([busy, idle], false),
      `PriorityLevelName, FlowSchemaName, QueueIndex, RequestIndexInQueue, FlowDistingsher, ArriveTime,             InitialSeats, FinalSeats, AdditionalLatency, StartTime
busy,              apps,           1,          0,                   jane,            2026-01-02T03:04:05.6Z, 2,            0,          0s,                0001-01-01T00:00:00Z
busy,              apps,           1,          1,                   jane,            2026-01-02T03:04:05.6Z, 2,            0,          0s,                0001-01-01T00:00:00Z
busy,              apps,           1,          -1,                  jane,            2026-01-02T03:04:05.6Z, 2,            0,          0s,                2026-01-02T03:04:06Z
`,
    );
    const [header = '', line = ''] = dumpRequests([busy], true).split('\n');
    assert.match(
      header,
      /StartTime, +UserName, Verb, +APIPath, +Namespace, Name, +APIVersion, Resource, +SubResource$/,
    );
    assert.match(line, /jane, +list, +\/apis\/apps\/v1\/namespaces\/a\/deployments, a, +, +apps\/v1, +deployments, $/);
  });
});
