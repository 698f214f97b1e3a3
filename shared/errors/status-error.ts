/** One cause of a failure, as in the API's StatusCause. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  /** JSON path of the field, e.g. `spec.containers[0].name`. */
  readonly field?: string;
}

/** The API's StatusDetails. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The API's Status object, as it travels. */
export interface StatusObject {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, unknown>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** A failure that the API knows how to tell: HTTP code, machine-readable reason, message for people. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** Rebuilds the error from a Status that a server answered; `httpCode` serves where the body has no code. */
  static fromStatus(status: Partial<StatusObject>, httpCode: number): StatusError {
    const code = status.code ?? httpCode;
    return new StatusError(
      code,
      status.reason ?? reasonOfCode(code),
      status.message ?? `the server answered ${httpCode}`,
      status.details,
    );
  }

  toStatus(): StatusObject {
    const { code, reason, message, details } = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      // Some failures of the original have none.
      ...(reason === '' ? {} : { reason }),
      ...(details ? { details } : {}),
      code,
    };
  }
}

/** Reason for a code when a server gave none. */
function reasonOfCode(code: number): string {
  const reasons: Record<number, string> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    405: 'MethodNotAllowed',
    406: 'NotAcceptable',
    409: 'Conflict',
    410: 'Gone',
    413: 'RequestEntityTooLarge',
    415: 'UnsupportedMediaType',
    422: 'Invalid',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  };
  return reasons[code] ?? 'Unknown';
}

const has = (error: unknown, ...reasons: string[]): boolean =>
  error instanceof StatusError && reasons.includes(error.reason);

export const isNotFound = (error: unknown): boolean => has(error, 'NotFound');
export const isConflict = (error: unknown): boolean => has(error, 'Conflict');
export const isAlreadyExists = (error: unknown): boolean => has(error, 'AlreadyExists');
export const isInvalid = (error: unknown): boolean => has(error, 'Invalid');
export const isForbidden = (error: unknown): boolean => has(error, 'Forbidden');
/** The resourceVersion is too old: list again. */
export const isExpired = (error: unknown): boolean => has(error, 'Expired', 'Gone');
export const isTooManyRequests = (error: unknown): boolean => has(error, 'TooManyRequests');
/** An abort is a normal end, not a failure. */
export const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || (error as NodeJS.ErrnoException).code === 'ABORT_ERR');
/** Its absence would be a bug: retrying cannot help. Reconcilers throw it to report without retry. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}
