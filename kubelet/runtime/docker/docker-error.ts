import { RuntimeError } from '../container-runtime.js';

/** Longer messages of the engine are cut: they end in events and statuses. */
const MAX_MESSAGE_LENGTH = 1024;

const AWAY_CODES = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EACCES',
  'EPERM',
  'ENOTFOUND',
]);
/** What the engine answers while it, or the containerd behind it, goes down or comes up. */
const AWAY_ANSWERS =
  /transport is closing|shutting down|containerd\.sock|connection (?:is )?closed|error reading server preface|ttrpc: closed|client connection force closed/;

/** An answer of the engine: its HTTP status and its own words. */
export interface EngineAnswer {
  readonly statusCode: number;
  readonly message: string;
}

/** The engine's answer inside an error of dockerode; undefined for errors of transport. */
function engineAnswer(error: unknown): EngineAnswer | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode, json } = error as Error & { statusCode?: number; json?: { message?: unknown } | Buffer | null };
  if (statusCode === undefined) return undefined;
  const told = json && !Buffer.isBuffer(json) ? json.message : undefined;
  const message = typeof told === 'string' ? told : error.message.replace(/^\(HTTP code \d+\) .*? - /, '');
  return { statusCode, message: bounded(message) };
}

export const isStatus = (error: unknown, ...codes: readonly number[]): boolean =>
  codes.includes(engineAnswer(error)?.statusCode ?? 0);

export function bounded(message: string): string {
  const text = message.trim();
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}...` : text;
}

/** Any failure of a call to the engine as a RuntimeError; an abort by the caller stays what it is. */
export function toRuntimeError(error: unknown, endpoint: string): Error {
  if (error instanceof RuntimeError) return error;
  const answer = engineAnswer(error);
  if (answer) return new RuntimeError(codeOf(answer), `Error response from daemon: ${answer.message}`);
  const { code, message } = error as NodeJS.ErrnoException;
  if ((code !== undefined && AWAY_CODES.has(code)) || /socket hang up|aborted/.test(message ?? '')) {
    return unavailable(endpoint, message);
  }
  return error instanceof Error ? error : new Error(String(error));
}

export function unavailable(endpoint: string, why: string): RuntimeError {
  const remedy = 'start it with: systemctl start docker';
  return new RuntimeError('Unavailable', `cannot reach the Docker Engine at ${endpoint}: ${bounded(why)}; ${remedy}`);
}

/** The engine took the request and never answered. */
export function silent(endpoint: string, what: string, timeoutMs: number): RuntimeError {
  const remedy = 'if it stays so, restart it with: systemctl restart docker';
  const why = `did not answer "${what}" within ${timeoutMs / 1000} s`;
  return new RuntimeError('Unavailable', `the Docker Engine at ${endpoint} ${why}; ${remedy}`);
}

function codeOf({ statusCode, message }: EngineAnswer): RuntimeError['code'] {
  if (statusCode === 503 || (statusCode === 500 && AWAY_ANSWERS.test(message))) return 'Unavailable';
  if (statusCode === 404) return /No such image/i.test(message) ? 'ImageNotFound' : 'NotFound';
  if (statusCode === 409) return 'Conflict';
  return 'Failed';
}
