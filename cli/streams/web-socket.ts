import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { HttpsClient } from '../../shared/client/https-client.js';
import { statusError } from '../server-api.js';

/** Opens a WebSocket to the API server; a refusal is the StatusError of its answer. */
export async function openWebSocket(
  client: HttpsClient,
  path: string,
  protocols: readonly string[],
): Promise<WebSocket> {
  const [{ WebSocket: Socket }, access] = await Promise.all([import('ws'), client.webSocketAccess(path)]);
  const { url, tls, headers } = access;
  return new Promise((resolve, reject) => {
    const socket = new Socket(url, [...protocols], { ...tls, headers, perMessageDeflate: false });
    socket.once('open', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('unexpected-response', (request, response: IncomingMessage) => {
      refusal(response)
        .then(reject, reject)
        .finally(() => request.destroy());
    });
    socket.once('error', reject);
  });
}

const maxRefusalBytes = 64 * 1024;

async function refusal(response: IncomingMessage): Promise<Error> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > maxRefusalBytes) break;
  }
  return statusError(response.statusCode ?? 500, text);
}

/** Bytes of a message, whatever form ws gives them in. */
export function messageBytes(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
