import { badRequest } from '../../shared/errors/bad-request.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { header, type Exchange, type RawRequest } from './exchange.js';

const maxBodyBytes = 3 * 1024 * 1024;
const silenceTimeoutMs = 60_000;

type BodySource = Pick<Exchange, 'request' | 'audit' | 'turns'>;

const tooLarge = (): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);

/** The whole body, when it is its turn to be worked on; 413 as soon as it is known to be too long. */
export async function readBody({ request, audit, turns }: BodySource): Promise<Buffer> {
  const bytes = await receive(request);
  const turn = turns.next();
  if (turn) await turn;
  audit?.requestBody(bytes, header(request, 'content-type'));
  return bytes;
}

function receive(request: RawRequest): Promise<Buffer> {
  if (Number(header(request, 'content-length') ?? 0) > maxBodyBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // A client that stops in the middle must not hold its place for ever.
    request.setTimeout(silenceTimeoutMs, () => {
      reject(new StatusError(408, 'Timeout', 'the request body did not arrive in time'));
      request.destroy();
    });
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) {
        request.pause();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      request.setTimeout(0);
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    });
    request.on('aborted', () => reject(badRequest('the request was cut off')));
    request.on('error', (error) => reject(badRequest(`the request could not be read: ${error.message}`)));
  });
}
