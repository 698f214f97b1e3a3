import { createHash } from 'node:crypto';
import { inSlices } from '../../shared/lifecycle/slices.js';
import type { DiscoverableResource } from '../discovery/discoverable.js';
import type { Schemas } from '../schema/schemas.js';
import type { OpenApiObject } from './definitions.js';
import { openApiV2 } from './document-v2.js';
import { groupVersionPaths, openApiV3 } from './document-v3.js';
import { encodeGnostic } from './gnostic.js';
import { mergeRemote } from './remote-documents.js';

/** A document as it is sent. */
export interface OpenApiDocument {
  readonly bytes: Buffer;
  /** Hash of the bytes, without quotes: the ETag, and the `hash` in immutable URLs. */
  readonly hash: string;
  readonly contentType: string;
}

/** What an extension server says of one group and version. */
export interface RemoteOpenApi {
  /** `apis/GROUP/VERSION`. */
  readonly path: string;
  readonly v3?: OpenApiDocument;
  /** Its whole document; only what lies below `path` is taken over. */
  readonly v2?: OpenApiObject;
  readonly v2Hash?: string;
}

/** What clients ask for. */
export const gnosticMediaType = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
/** What they get: a media type may not contain an `@`. */
const gnosticContentType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * The OpenAPI documents of a set of resources: each is built when it is first asked for, and kept. When the resources
 * change, make another one.
 */
export class OpenApi {
  readonly #resources: readonly DiscoverableResource[];
  readonly #schemas: Schemas;
  readonly #documents = new Map<string, Promise<OpenApiDocument>>();
  readonly #remote: readonly RemoteOpenApi[];
  #v2: Promise<OpenApiObject> | undefined;

  /** @param given `previous`: documents of before a change; those of groups that did not change are taken over */
  constructor(
    resources: readonly DiscoverableResource[],
    schemas: Schemas,
    given: { readonly previous?: OpenApi | undefined; readonly remote?: readonly RemoteOpenApi[] } = {},
  ) {
    this.#resources = resources;
    this.#schemas = schemas;
    this.#remote = given.remote ?? [];
    if (given.previous) this.#takeOver(given.previous);
  }

  #takeOver(previous: OpenApi): void {
    const before = groupVersionPaths(previous.#resources);
    for (const [path, list] of groupVersionPaths(this.#resources)) {
      const known = before.get(path);
      const document = previous.#documents.get(`v3 ${path}`);
      const isSame = known?.length === list.length && list.every((resource, index) => resource === known[index]);
      if (document && isSame) this.#documents.set(`v3 ${path}`, document);
    }
  }

  /** `/openapi/v2`. */
  v2Json(): Promise<OpenApiDocument> {
    return this.#keep('v2', async () => {
      const document = await this.#v2Document();
      return documentOf(await inSlices(jsonInSteps(document)), 'application/json');
    });
  }

  /** `/openapi/v2` for clients that accept {@link gnosticMediaType} only or first. */
  v2Protobuf(): Promise<OpenApiDocument> {
    return this.#keep('v2 protobuf', async () => {
      const document = await this.#v2Document();
      return documentOf(await inSlices(encodeGnostic(document)), gnosticContentType);
    });
  }

  /** `/openapi/v3`: the documents that there are, under URLs that change with their content. */
  v3Index(): Promise<OpenApiDocument> {
    return this.#keep('v3', async () => {
      const elsewhere = this.#remote.filter(({ v3 }) => v3 !== undefined).map(({ path }) => path);
      const paths: Record<string, OpenApiObject> = {};
      for (const path of [...new Set([...groupVersionPaths(this.#resources).keys(), ...elsewhere])].sort()) {
        const document = await this.v3Document(path);
        paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${document?.hash ?? ''}` };
      }
      return documentOf(json({ paths }), 'application/json');
    });
  }

  /** `/openapi/v3/PATH`, with a path such as `apis/apps/v1`; undefined when there is none. */
  async v3Document(path: string): Promise<OpenApiDocument | undefined> {
    const remote = this.#remote.find((one) => one.path === path)?.v3;
    if (remote) return remote;
    const resources = groupVersionPaths(this.#resources).get(path);
    if (!resources) return undefined;
    return this.#keep(`v3 ${path}`, async () => {
      // One document is small; all of them, one after the other, would hold up everybody else.
      await new Promise((resolve) => setImmediate(resolve));
      return documentOf(json(openApiV3(path, resources, this.#schemas)), 'application/json');
    });
  }

  #v2Document(): Promise<OpenApiObject> {
    this.#v2 ??= inSlices(openApiV2(this.#resources, this.#schemas)).then((own) => mergeRemote(own, this.#remote));
    return this.#v2;
  }

  #keep(name: string, build: () => Promise<OpenApiDocument>): Promise<OpenApiDocument> {
    const known = this.#documents.get(name);
    if (known) return known;
    const built = build();
    this.#documents.set(name, built);
    return built;
  }
}

const json = (document: OpenApiObject): Buffer => Buffer.from(JSON.stringify(document));

/** JSON of a big document, with a step for each member of its members. */
function* jsonInSteps(document: OpenApiObject): Generator<void, Buffer> {
  const members: string[] = [];
  for (const [name, value] of Object.entries(document)) {
    members.push(`${JSON.stringify(name)}:${yield* memberInSteps(value)}`);
  }
  return Buffer.from(`{${members.join(',')}}`);
}

function* memberInSteps(value: unknown): Generator<void, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    members.push(`${JSON.stringify(name)}:${JSON.stringify(member)}`);
    yield;
  }
  return `{${members.join(',')}}`;
}

function documentOf(bytes: Buffer, contentType: string): OpenApiDocument {
  return { bytes, contentType, hash: createHash('sha512').update(bytes).digest('hex').toUpperCase() };
}

/** Whether a client wants the protobuf form of `/openapi/v2` rather than JSON. */
export function wantsGnostic(accept: string | undefined): boolean {
  for (const clause of (accept ?? '').split(',', 32)) {
    const type = (clause.split(';', 1)[0] ?? '').trim();
    if (type === gnosticMediaType || type === 'application/com.github.googleapis.gnostic.OpenAPIv2@68f4ded+protobuf')
      return true;
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return false;
  }
  return false;
}
