import { dumpPriorityLevels, dumpQueues, dumpRequests, type LevelDump } from '../flowcontrol/flow-dump.js';
import type { Exchange } from './exchange.js';
import type { NonResourceHandler } from './non-resource-handler.js';
import { sendBytes } from './respond.js';
import { StatusError } from '../../shared/errors/status-error.js';

const prefix = '/debug/api_priority_and_fairness/';

/** What flow control does at the moment, for those who may GET these paths; the root does not list them, as in the original. */
export function addFlowControlDumps(paths: NonResourceHandler, dump: () => readonly LevelDump[]): void {
  const texts: Readonly<Record<string, (exchange: Exchange) => string>> = {
    dump_priority_levels: () => dumpPriorityLevels(dump()),
    dump_queues: () => dumpQueues(dump()),
    dump_requests: ({ query }) => dumpRequests(dump(), (query.get('includeRequestDetails') ?? '') !== ''),
  };
  paths.add(`${prefix}*`, (exchange) => {
    const name = exchange.info.path.slice(prefix.length).replace(/\/$/, '');
    const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
    if (!text) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
    return sendBytes(exchange, 200, 'text/plain; charset=utf-8', Buffer.from(text(exchange)));
  });
}
