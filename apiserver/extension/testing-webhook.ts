import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../shared/api/json.js';
import { servingCertificate } from '../../shared/pki/testing/serving-certificate.js';

/** What a conversion webhook is asked. */
export interface AskedConversion {
  readonly uid: string;
  readonly desiredAPIVersion: string;
  readonly objects: readonly JsonObject[];
}

/** Answers with a response, with a whole body, or (undefined) not at all. */
export type Converting = (asked: AskedConversion) => object | string | undefined | Promise<object>;

/** A conversion webhook in this process, over HTTPS. */
export interface TestConversion {
  /** For spec.conversion of a definition. */
  readonly conversion: object;
  readonly asked: AskedConversion[];
  answer: Converting;
  close(): Promise<void>;
}

/** `host:port` in v1 is two fields in all other versions. */
function convertAddress(object: JsonObject, apiVersion: string): JsonObject {
  const spec = { ...(object['spec'] as JsonObject | undefined) };
  if (apiVersion.endsWith('/v1')) {
    const { host, port, ...rest } = spec;
    if (host === undefined && port === undefined) return { ...object, apiVersion };
    return { ...object, apiVersion, spec: { ...rest, address: `${String(host)}:${String(port)}` } };
  }
  if (!String(object['apiVersion']).endsWith('/v1')) return { ...object, apiVersion };
  const { address, ...rest } = spec;
  if (typeof address !== 'string') return { ...object, apiVersion };
  const [host = '', port = ''] = address.split(':');
  return { ...object, apiVersion, spec: { ...rest, host, port } };
}

export const success = ({ objects, desiredAPIVersion }: AskedConversion): object => ({
  result: { status: 'Success' },
  convertedObjects: objects.map((object) => convertAddress(object, desiredAPIVersion)),
});

export async function startTestConversion(): Promise<TestConversion> {
  const { ca, certificate, key } = await servingCertificate();
  const asked: AskedConversion[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        apiVersion: string;
        request: AskedConversion;
      };
      asked.push(review.request);
      void Promise.resolve(webhook.answer(review.request)).then((said) => {
        if (said === undefined) return;
        response.setHeader('content-type', 'application/json');
        const answered = { uid: review.request.uid, ...(said as object) };
        const body = { kind: 'ConversionReview', apiVersion: review.apiVersion, response: answered };
        response.end(typeof said === 'string' ? said : JSON.stringify(body));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/convert`;
  const caBundle = Buffer.from(ca).toString('base64');
  const webhook: TestConversion = {
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig: { url, caBundle }, conversionReviewVersions: ['v1'] },
    },
    asked,
    answer: success,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return webhook;
}
