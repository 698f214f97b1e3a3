import type { IncomingMessage } from 'node:http';
import { isObject } from '../../shared/api/json.js';
import { StatusError } from '../../shared/errors/status-error.js';

const maxRefusalBytes = 16 * 1024;
const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/** A kubelet's refusal in its own words, as a Status: kubelets answer plain text as well. */
export async function readRefusal(answer: IncomingMessage): Promise<StatusError> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (size < maxRefusalBytes) chunks.push(chunk);
    size += chunk.length;
  }
  const text = Buffer.concat(chunks).subarray(0, maxRefusalBytes).toString('utf8').trim();
  const code = answer.statusCode !== undefined && answer.statusCode >= 400 ? answer.statusCode : 500;
  const message = messageOf(text) ?? (text || `the kubelet answered ${answer.statusCode ?? 'nothing'}`);
  return new StatusError(code, reasons[code] ?? 'InternalError', message);
}

/** The message of a Status; undefined when the text is none. */
function messageOf(text: string): string | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value['message'] === 'string' ? value['message'] : undefined;
  } catch {
    return undefined; // Text that only looks like JSON is told as it is.
  }
}
