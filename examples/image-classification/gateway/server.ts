import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log.js';
import type { ByteBudget, Reservation } from './byte-budget.js';
import type { Prediction } from './classifier.js';
import type { PageFile } from './page-files.js';
import type { PictureFetch } from './picture-fetch.js';
import { RequestError } from './request-error.js';

export interface GatewayServerOptions {
  classify: (picture: Buffer) => Promise<Prediction>;
  fetchPicture: PictureFetch;
  page: ReadonlyMap<string, PageFile>;
  samples: ReadonlyMap<string, PageFile>;
  budget: ByteBudget;
  podName: string;
  maxPictureBytes: number;
  maxInFlight: number;
  isReady: () => boolean;
  isDraining: () => boolean;
  log: Log;
}

const JSON_LIMIT_BYTES = 16 * 1024;
const SMALLEST_RESERVATION_BYTES = 16 * 1024;
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The gateway's HTTP server: the page, its samples, health, and POST /predict. */
export async function gatewayServer(options: GatewayServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: options.maxPictureBytes,
    // Requests that arrive while the server closes are served as well: nobody may notice a rolling update.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
  });
  app.removeAllContentTypeParsers();
  await app.register(multipart, {
    limits: { fileSize: options.maxPictureBytes, files: 1, fields: 8, fieldSize: 4096, parts: 9 },
  });
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: JSON_LIMIT_BYTES },
    (_request, body, done) => done(null, body),
  );
  for (const type of [/^image\//, 'application/octet-stream']) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-gateway-pod-name', options.podName);
    reply.header('x-content-type-options', 'nosniff');
    if (options.isDraining()) reply.header('connection', 'close');
  });
  app.setErrorHandler(async (error: FastifyError, request, reply) =>
    sendError(reply, toRequestError(error, request, options)),
  );
  app.setNotFoundHandler(async (_request, reply) =>
    sendError(reply, new RequestError(404, 'There is nothing at this address.')),
  );
  addPageRoutes(app, options);
  addHealthRoutes(app, options);
  addPredictRoute(app, options);
  return app;
}

function addPageRoutes(app: FastifyInstance, options: GatewayServerOptions): void {
  const send = (request: FastifyRequest, reply: FastifyReply, file: PageFile | undefined): FastifyReply => {
    if (file === undefined) throw new RequestError(404, 'There is nothing at this address.');
    reply.header('etag', file.etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    return reply.type(file.type).send(file.bytes);
  };
  app.get('/', async (request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY).header('referrer-policy', 'no-referrer');
    return send(request, reply, options.page.get('index.html'));
  });
  for (const name of ['page.css', 'page.js']) {
    app.get(`/${name}`, async (request, reply) => send(request, reply, options.page.get(name)));
  }
  app.get('/samples', async () => ({ samples: [...options.samples.keys()] }));
  app.get<{ Params: { name: string } }>('/samples/:name', async (request, reply) =>
    send(request, reply, options.samples.get(request.params.name)),
  );
}

function addHealthRoutes(app: FastifyInstance, options: GatewayServerOptions): void {
  app.get('/livez', async () => ({ live: true }));
  app.get('/healthz', async (_request, reply) => {
    const ready = options.isReady() && !options.isDraining();
    return reply.code(ready ? 200 : 503).send({ ready });
  });
}

function addPredictRoute(app: FastifyInstance, options: GatewayServerOptions): void {
  const reservations = new WeakMap<FastifyRequest, Reservation>();
  let inFlight = 0;
  app.route<{ Querystring: { shape?: string } }>({
    method: 'POST',
    url: '/predict',
    // Before a byte of the body is read: what it will hold must be free.
    onRequest: async (request, reply) => {
      if (inFlight >= options.maxInFlight)
        throw new RequestError(503, 'The gateway is busy with other pictures, try again in a moment.');
      reservations.set(request, options.budget.reserve(announcedBytes(request, options.maxPictureBytes)));
      inFlight++;
      // A response closes exactly once, also when the caller hangs up in the middle.
      reply.raw.once('close', () => {
        inFlight--;
        reservations.get(request)?.release();
      });
    },
    handler: async (request, reply) => {
      const reservation = reservations.get(request);
      if (reservation === undefined) throw new Error('the request has no reservation');
      const picture = await pictureOf(request, reservation, options);
      const prediction = await options.classify(picture);
      // A Service balances connections, not requests: the next picture may go to another gateway pod.
      reply.header('connection', 'close').header('x-pod-name', prediction.model_server ?? '');
      return reply.send(request.query.shape === 'scores' ? prediction.scores : prediction);
    },
  });
}

function announcedBytes(request: FastifyRequest, maxPictureBytes: number): number {
  const announced = Number(request.headers['content-length'] ?? maxPictureBytes);
  return Math.min(Math.max(announced, SMALLEST_RESERVATION_BYTES), maxPictureBytes);
}

async function pictureOf(
  request: FastifyRequest,
  reservation: Reservation,
  options: GatewayServerOptions,
): Promise<Buffer> {
  if (request.isMultipart()) {
    const file = await request.file();
    if (file === undefined) throw new RequestError(400, 'The form has no file in it.');
    const bytes = await file.toBuffer();
    if (file.file.truncated) throw pictureTooLarge(options.maxPictureBytes);
    return nonEmpty(bytes);
  }
  if (Buffer.isBuffer(request.body)) return nonEmpty(request.body);
  if (typeof request.body === 'string') return options.fetchPicture(urlOf(request.body), reservation);
  throw new RequestError(
    400,
    'Send a picture as the body or in a form, or JSON such as {"url": "https://example.org/picture.jpg"}.',
  );
}

function nonEmpty(bytes: Buffer): Buffer {
  if (bytes.length === 0) throw new RequestError(400, 'The picture is empty.');
  return bytes;
}

function urlOf(body: string): string {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    throw new RequestError(400, 'The body is not valid JSON.');
  }
  const url = typeof document === 'object' && document !== null && 'url' in document ? document.url : undefined;
  if (typeof url !== 'string' || url === '')
    throw new RequestError(400, 'The JSON must have a "url" that is a string.');
  return url;
}

function pictureTooLarge(maxBytes: number): RequestError {
  return new RequestError(413, `The picture is larger than ${Math.floor(maxBytes / 1024 / 1024)} MB.`);
}

function sendError(reply: FastifyReply, error: RequestError): FastifyReply {
  if (error.status === 503) reply.header('retry-after', '1');
  // What the sender still has to say is not wanted any more.
  return reply.code(error.status).header('connection', 'close').send({ error: error.message });
}

function toRequestError(error: FastifyError, request: FastifyRequest, options: GatewayServerOptions): RequestError {
  if (error instanceof RequestError) return error;
  switch (error.statusCode) {
    case 413:
      return pictureTooLarge(options.maxPictureBytes);
    case 415:
      return new RequestError(415, 'Send a picture (image/*), a form with a file, or JSON with a "url".');
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new RequestError(error.statusCode, `The request cannot be read: ${error.message}.`);
  }
  options.log('request failed', { method: request.method, path: request.routeOptions.url, error: error.message });
  return new RequestError(500, 'The gateway failed to answer this request.');
}
