import { pino, stdSerializers, type Logger, type LoggerOptions } from 'pino';

import { LineOutput } from './line-output.js';

/** Values that accompany a message. `error` is printed with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What a component says about itself: a constant message plus fields, never a secret. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields`. */
  child(fields: LogFields): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard output, written before the call returns, so that a crash loses none. */
export function createLog(options: { component: string; level?: LogLevel }): Log {
  const { component, level = 'info' } = options;
  const lostLine = (count: number): string =>
    `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), component, count, msg: 'lines of this log are lost' })}\n`;
  const settings: LoggerOptions = {
    level,
    base: { component },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: stdSerializers.err },
  };
  // pino's own output waits for ever, with the whole process, for room on a full disk.
  return wrap(pino(settings, new LineOutput({ lostLine })));
}

/** Says nothing; for tests and for callers that do not care. */
export const silentLog: Log = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
});

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
