import type { ServerResponse } from 'node:http';

import { isQueryFlagSet } from '../../shared/api/query.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ContainerRuntime, LogOptions } from '../runtime/container-runtime.js';

/** What the query of containerLogs asks for. */
export interface LogQuery {
  readonly previous: boolean;
  readonly options: Omit<LogOptions, 'signal'>;
}

export function parseLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const isSet = (name: string): boolean => isQueryFlagSet(query, name);
  const tailLines = wholeNumber(query, 'tailLines', 0);
  const limitBytes = wholeNumber(query, 'limitBytes', 1);
  const sinceSeconds = wholeNumber(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  if (sinceSeconds !== undefined && sinceTime !== null) {
    throw invalid('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  const sinceMs = sinceTime === null ? undefined : Date.parse(sinceTime);
  if (Number.isNaN(sinceMs)) throw invalid(`sinceTime: invalid value ${JSON.stringify(sinceTime)}`);
  const stream = query.get('stream')?.toLowerCase();
  return {
    previous: isSet('previous'),
    options: {
      follow: isSet('follow'),
      timestamps: isSet('timestamps'),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
      ...(sinceSeconds === undefined ? {} : { sinceMs: nowMs - sinceSeconds * 1000 }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
    },
  };
}

function wholeNumber(query: URLSearchParams, name: string, minimum: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw invalid(`${name}: Invalid value: ${JSON.stringify(text)}: must be greater than or equal to ${minimum}`);
  }
  return value;
}

const invalid = (why: string): StatusError => new StatusError(422, 'Invalid', `PodLogOptions "" is invalid: ${why}`);

/** Streams a log as the body of the answer; a failure on the way cuts the connection, so that it does not look complete. */
export async function writeLogs(
  runtime: ContainerRuntime,
  containerId: string,
  options: LogQuery['options'],
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  try {
    await runtime.logs(containerId, { ...options, signal: gone.signal }, response);
    response.end();
  } catch (error) {
    response.destroy();
    if (!gone.signal.aborted) throw error;
  }
}
