import { StatusError } from '../../shared/errors/status-error.js';
import { internalError, serviceUnavailable } from '../registry/status-errors.js';
import {
  StorageClosedError,
  StorageCompactedError,
  StorageOverloadedError,
  StorageReadOnlyError,
} from '../storage/storage.js';

/** Any failure as the API tells it. What nobody expected is a 500 without its inner details beyond the message. */
export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof StorageOverloadedError) {
    return new StatusError(429, 'TooManyRequests', 'the store has too many writes waiting, please try again later', {
      retryAfterSeconds: 1,
    });
  }
  if (error instanceof StorageReadOnlyError) return serviceUnavailable(`the store is read-only: ${error.message}`);
  if (error instanceof StorageClosedError) return serviceUnavailable('the server is shutting down');
  if (error instanceof StorageCompactedError) return new StatusError(410, 'Expired', error.message);
  return internalError(error instanceof Error ? error.message : String(error));
}
