import { isInvalid, StatusError, type StatusCause } from '../shared/errors/status-error.js';
import { Failure } from './cluster/failure.js';

/** Ends the command with an exit code and without a further word. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** A use of a command that its help explains: that is printed too, and with an empty message it is the whole answer. */
export class HelpFailure extends Failure {}

/** Several failures of one command; all are told. */
class Failures extends Error {
  override readonly name = 'Failures';
  readonly errors: readonly unknown[];

  constructor(errors: readonly unknown[]) {
    super(`${errors.length} failures`);
    this.errors = errors;
  }
}

/** Throws what was collected: nothing, the one failure, or all. */
export function throwCollected(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new Failures(errors);
}

/** The same failure, its message headed by what was being done, e.g. `error when creating "web.yaml": `. */
export function withContext(error: unknown, context: string): unknown {
  if (error instanceof StatusError) {
    return new StatusError(error.code, error.reason, `${context}: ${error.message}`, error.details);
  }
  return error;
}

/** What kubectl prints for a failure, each line without its end. */
export function failureText(error: unknown, server = ''): string {
  if (error instanceof Failures) return error.errors.map((each) => oneOfMany(each, server)).join('\n');
  if (isInvalid(error) && error instanceof StatusError) return invalidText(error);
  if (error instanceof StatusError) {
    if (error.reason === 'Unauthorized') return `error: You must be logged in to the server (${error.message})`;
    return `Error from server (${error.reason}): ${error.message}`;
  }
  if (error instanceof Failure) return error.message.startsWith('error: ') ? error.message : `error: ${error.message}`;
  if (error instanceof Error && error.name === 'ConfigurationError') return error.message;
  return networkText(error, server);
}

/** Among others, kubectl tells a failure of its own without a head. */
const oneOfMany = (error: unknown, server: string): string =>
  error instanceof Failure ? error.message : failureText(error, server);

function networkText(error: unknown, server: string): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') {
    const host = URL.canParse(server) ? new URL(server).host : server;
    return `The connection to the server ${host} was refused - did you specify the right host or port?`;
  }
  const isNetwork = code !== undefined && /^(E[A-Z]+|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS)/.test(code);
  return isNetwork && code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR'
    ? `Unable to connect to the server: ${error.message}`
    : `error: ${error.message}`;
}

function invalidText(error: StatusError): string {
  const { details } = error;
  const causes = [...new Set((details?.causes ?? []).map(causeText))];
  const isNamed = Boolean(details?.kind || details?.name);
  const head = isNamed
    ? `The ${details?.kind ?? ''} ${JSON.stringify(details?.name ?? '')} is invalid`
    : 'The request is invalid';
  const [only] = causes;
  if (only === undefined) return isNamed ? head : `${head}: ${error.message}`;
  return causes.length === 1 ? `${head}: ${only}` : `${head}: \n${causes.map((cause) => `* ${cause}`).join('\n')}`;
}

const causeText = (cause: StatusCause): string =>
  cause.field ? `${cause.field}: ${cause.message ?? ''}` : (cause.message ?? '');
