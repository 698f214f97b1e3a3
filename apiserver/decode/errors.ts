import { StatusError } from '../../shared/errors/status-error.js';

/** Bodies larger than this are refused, as in the original. */
export const maxBodyBytes = 3 * 1024 * 1024;

export const bodyTooLarge = (limitBytes: number): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);

export const tooManyKeys = (limit: number): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit} different keys`);

/** The body's media type is not one of `accepted`. */
export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** The start of a body, for messages about bodies that cannot be read at all. */
export function summarizeBody(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const maxLength = 30;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxLength));
  const text = bytes[0] === 0x7b ? head.toString('utf8') : head.toString('hex');
  return bytes.length > maxLength ? `${text} ...` : text;
}

/** Media type of a Content-Type header without its parameters. */
export const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase();
