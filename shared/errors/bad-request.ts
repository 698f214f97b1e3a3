import { StatusError } from './status-error.js';

/** 400: the request itself is wrong, whatever the state of the cluster. */
export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);

/** What a client sent, short enough to be repeated in an answer. */
export function excerpt(text: string, maxLength = 4096): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)} ... (${text.length - maxLength} more)`;
}
