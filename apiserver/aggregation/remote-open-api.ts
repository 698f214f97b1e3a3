import { createHash } from 'node:crypto';
import type { APIServiceSpec } from '../../shared/api/generated/types.js';
import type { OpenApiObject } from '../openapi/definitions.js';
import type { RemoteOpenApi } from '../openapi/openapi.js';
import type { ExtensionClient } from './extension-client.js';

const maxDocumentBytes = 8 * 1024 * 1024;
const json = 'application/json';

/** What an extension server says of one group and version; nothing where it says nothing, which is allowed. */
export async function fetchOpenApi(client: ExtensionClient, spec: APIServiceSpec): Promise<RemoteOpenApi> {
  const path = `apis/${spec.group ?? ''}/${spec.version ?? ''}`;
  const [v3, v2] = await Promise.all([
    fetchDocument(client, spec, `/openapi/v3/${path}`),
    fetchDocument(client, spec, '/openapi/v2'),
  ]);
  return {
    path,
    ...(v3 ? { v3: { ...v3, contentType: json } } : {}),
    ...(v2 ? { v2: parsed(v2.bytes), v2Hash: v2.hash } : {}),
  };
}

const parsed = (bytes: Buffer): OpenApiObject => JSON.parse(bytes.toString('utf8')) as OpenApiObject;

async function fetchDocument(
  client: ExtensionClient,
  spec: APIServiceSpec,
  path: string,
): Promise<{ readonly bytes: Buffer; readonly hash: string } | undefined> {
  try {
    const { code, body } = await client.get(spec, path, { accept: json, maxBytes: maxDocumentBytes });
    if (code !== 200) return undefined;
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return { bytes: body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
  } catch {
    // Extension servers without documents are served all the same; the next check asks again.
    return undefined;
  }
}
