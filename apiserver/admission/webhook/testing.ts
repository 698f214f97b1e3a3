import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach } from 'node:test';
import { servingCertificate } from '../../../shared/pki/testing/serving-certificate.js';
import { serverWorld, type ServerWorld } from '../../testing/server-world.js';
import type { TestServerOptions } from '../../testing/test-server.js';

/** What a webhook is asked. */
export interface Asked {
  readonly uid: string;
  readonly operation: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly userInfo: { readonly username: string; readonly groups?: readonly string[] };
  readonly object: Record<string, unknown> | null;
  readonly oldObject: Record<string, unknown> | null;
  readonly dryRun: boolean;
  readonly options: Record<string, unknown> | null;
}

/** Answers with a response, with a whole body, or (undefined) not at all; a promise answers when it is kept. */
export type Answering = (asked: Asked, path: string) => object | string | undefined | Promise<object>;

/** A webhook in this process, over HTTPS. */
export interface TestWebhook {
  readonly url: string;
  /** Base64, as configurations want it. */
  readonly caBundle: string;
  readonly asked: Asked[];
  /** Connections that were made. */
  readonly connections: () => number;
  answer: Answering;
  close(): Promise<void>;
}

export async function startTestWebhook(answer: Answering = () => ({ allowed: true })): Promise<TestWebhook> {
  const { ca, certificate, key } = await servingCertificate({
    dnsNames: ['localhost', 'hook.default.svc'],
    ipAddresses: ['127.0.0.1'],
  });
  let connections = 0;
  const asked: Asked[] = [];
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { apiVersion: string; request: Asked };
      asked.push(review.request);
      void Promise.resolve(webhook.answer(review.request, request.url ?? '')).then((said) => {
        if (said === undefined) return;
        response.setHeader('content-type', 'application/json');
        if (typeof said === 'string') response.end(said);
        else {
          const { apiVersion } = review;
          const answered = { uid: review.request.uid, ...said };
          response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion, response: answered }));
        }
      });
    });
  });
  server.on('secureConnection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const webhook: TestWebhook = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caBundle: Buffer.from(ca).toString('base64'),
    asked,
    connections: () => connections,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return webhook;
}

/** The part of an answer that patches an object. */
export const patching = (operations: readonly object[]): object => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

/** A server with its administrator, and a webhook that is new for each test. */
export interface WebhookWorld extends Pick<ServerWorld, 'server' | 'admin'> {
  readonly hook: TestWebhook;
  /** Paths that are deleted after the test. */
  readonly made: string[];
}

/** The world of a describe block: there from its first test to its last. */
export function webhookWorld(options: TestServerOptions = {}): WebhookWorld {
  const world = serverWorld(options);
  const { admin } = world;
  const made: string[] = [];
  let hook: TestWebhook;
  beforeEach(async () => {
    hook = await startTestWebhook();
  });
  afterEach(async () => {
    for (const path of made.splice(0)) await admin.send(path, { method: 'DELETE' });
    await hook.close();
  });
  return {
    admin,
    made,
    get server() {
      return world.server;
    },
    get hook() {
      return hook;
    },
  };
}
