import type { Schema } from './flow-catalogue.js';
import type { QueueDigest, RejectReason } from './fair-queues.js';
import type { FlowRequest } from './flow-control.js';

/** A request that waits or is answered. */
export interface TrackedRequest {
  readonly schema: Schema;
  readonly request: FlowRequest;
  /** In seats. */
  readonly seats: number;
  /** Of its queue; -1 for none. */
  queue: number;
  /** Wall clock. */
  readonly arrivedMs: number;
  /** Undefined while it waits. */
  startedMs: number | undefined;
}

/** One priority level at a moment. */
export interface LevelDump {
  readonly name: string;
  /** Those that have work; the others up to `queueCount` are idle. */
  readonly queues: readonly QueueDigest[];
  readonly queueCount: number;
  /** The meter of fair progress, in milliseconds of seats. */
  readonly virtualMs: number;
  readonly waiting: number;
  readonly running: number;
  readonly dispatched: number;
  readonly rejected: Readonly<Record<RejectReason, number>>;
  readonly requests: readonly TrackedRequest[];
}

type Row = readonly string[];

/** One line for each priority level, with the columns of the original. */
export function dumpPriorityLevels(levels: readonly LevelDump[]): string {
  const header =
    'PriorityLevelName ActiveQueues IsIdle IsQuiescing WaitingRequests ExecutingRequests DispatchedRequests RejectedRequests TimedoutRequests CancelledRequests';
  return table([
    header.split(' '),
    ...levels.map(({ name, queues, waiting, running, dispatched, rejected }) => [
      name,
      String(queues.filter((queue) => queue.waiting > 0).length),
      String(waiting === 0 && running === 0),
      // A level that is deleted is forgotten at once: its requests are answered where they are.
      'false',
      ...[waiting, running, dispatched].map(String),
      String(rejected['queue-full'] + rejected['concurrency-limit']),
      String(rejected['time-out']),
      String(rejected.cancelled),
    ]),
  ]);
}

/** One line for each queue of each level that has any. */
export function dumpQueues(levels: readonly LevelDump[]): string {
  const header =
    'PriorityLevelName Index PendingRequests ExecutingRequests SeatsInUse NextDispatchR InitialSeatsSum MaxSeatsSum TotalWorkSum';
  return table([
    header.split(' '),
    ...levels.flatMap(({ name, queues, queueCount, virtualMs }) => {
      const known = new Map(queues.map((queue) => [queue.number, queue]));
      return Array.from({ length: queueCount }, (_, number): Row => {
        const queue = known.get(number);
        const {
          waiting = 0,
          running = 0,
          usedSeats = 0,
          waitingSeats = 0,
          workMs = 0,
          nextStartMs = virtualMs,
        } = queue ?? {};
        const counts = [number, waiting, running, usedSeats].map(String);
        const seats = String(waitingSeats);
        return [name, ...counts, seatSeconds(nextStartMs), seats, seats, seatSeconds(workMs)];
      });
    }),
  ]);
}

/** One line for each request that waits (by its place in the queue) or is answered (-1). */
export function dumpRequests(levels: readonly LevelDump[], hasDetails: boolean): string {
  // The original's spelling.
  const header =
    'PriorityLevelName FlowSchemaName QueueIndex RequestIndexInQueue FlowDistingsher ArriveTime InitialSeats FinalSeats AdditionalLatency StartTime';
  const details = 'UserName Verb APIPath Namespace Name APIVersion Resource SubResource';
  const rows = levels.flatMap(({ name, requests }) => {
    const places = new Map<number, number>();
    return requests.toSorted(byQueue).map((one): Row => {
      const { schema, request, seats, queue, arrivedMs, startedMs } = one;
      const place = startedMs === undefined ? (places.get(queue) ?? 0) : -1;
      if (startedMs === undefined) places.set(queue, place + 1);
      const flow = schema.distinguish(request.user, request.info);
      const where = [name, schema.name, String(queue), String(place), flow, time(arrivedMs)];
      return [...where, String(seats), '0', '0s', time(startedMs), ...(hasDetails ? detailsOf(request) : [])];
    });
  });
  return table([`${header}${hasDetails ? ` ${details}` : ''}`.split(' '), ...rows]);
}

/** Of each queue those that wait first; requests without a queue last. */
const byQueue = (a: TrackedRequest, b: TrackedRequest): number =>
  order(a.queue) - order(b.queue) || Number(a.startedMs !== undefined) - Number(b.startedMs !== undefined);
const order = (queue: number): number => (queue < 0 ? Infinity : queue);

function detailsOf({ user, info }: FlowRequest): Row {
  const { verb, path, namespace = '', name, group, version, resource, subresource } = info;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return [user.name, verb, path, namespace, name, apiVersion, resource, subresource];
}

/** RFC 3339 without the zeros at its end; the zero time of Go for none. */
const time = (ms: number | undefined): string =>
  ms === undefined ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');

const seatSeconds = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(8)}ss`;

/** As Go's tabwriter with cells of at least eight signs: a comma ends each cell, and blanks follow it. */
function table(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map(() => 8);
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length + ', '.length);
    }
  }
  const line = (row: Row): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : `${cell},`.padEnd(widths[column] ?? 0))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}
