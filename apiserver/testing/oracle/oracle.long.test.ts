import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { discoverableResources } from '../../discovery/discoverable.js';
import { definitions } from '../../kinds/index.js';
import { OpenApi } from '../../openapi/openapi.js';
import { loadSchemas } from '../../schema/schemas.js';
import { structureOf } from '../../extension/structure-type.js';
import { resourceProperties, shipSchema } from './ship-schema.js';
import { applySuite, type AppliedKind } from './apply-suite.js';
import { celSuite } from './cel-suite.js';
import { manifestSuite } from './manifest-suite.js';
import { patchSuite } from './patch-suite.js';
import { selectorSuite } from './selector-suite.js';
import { strategicSuite } from './strategic-suite.js';
import { valueSuite } from './value-suite.js';
import { Oracle } from './oracle.js';

const schemas = loadSchemas();
const openApi = new OpenApi(discoverableResources(definitions, schemas.resourceFacts()), schemas);
/** Kinds of the stable versions; schemas hold schemas, so that definitions of custom kinds have no end. */
const builtIn: AppliedKind[] = definitions.flatMap(({ resource: { apiVersion, kind, definition = '' } }) => {
  const type = schemas.type(definition);
  const isCompared = /\bv\d+$/.test(apiVersion) && type.fields.has('metadata') && kind !== 'CustomResourceDefinition';
  return isCompared ? [{ name: definition, apiVersion, kind, type, isCustom: false }] : [];
});
const custom: AppliedKind = {
  name: 'com.example.v1.Ship',
  apiVersion: 'example.com/v1',
  kind: 'Ship',
  type: structureOf(shipSchema, 'Ship', schemas.type('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')),
  isCustom: true,
};

/** The document that is served, and what the original has in Go beside it: the defaults of the keys of lists. */
async function documentWithDefaults(): Promise<object> {
  const document = JSON.parse((await openApi.v2Json()).bytes.toString()) as {
    definitions: Record<string, { properties?: Record<string, { default?: unknown }> }>;
  };
  for (const name of ['ContainerPort', 'ServicePort']) {
    const protocol = document.definitions[`io.k8s.api.core.v1.${name}`]?.properties?.['protocol'];
    if (!protocol) throw new Error(`${name} has no protocol`);
    protocol.default = 'TCP';
  }
  document.definitions[custom.name] = {
    ...shipSchema,
    properties: { ...resourceProperties, ...shipSchema.properties },
  } as never;
  return document;
}

describe('the libraries that Kubernetes is built from', () => {
  let oracle: Oracle | undefined;
  const started = (): Oracle => oracle ?? (Promise.reject(new Error('not started')) as never);
  before(async () => {
    oracle = Oracle.start();
    const file = oracle.file('openapi.json', JSON.stringify(await documentWithDefaults()));
    const { error } = (await oracle.ask({ ask: 'schema', file, protobuf: false })) as { error?: string };
    if (error !== undefined) throw new Error(error);
  });
  after(() => oracle?.stop());

  it('its reader of OpenAPI in protobuf finds the same types as in JSON', async () => {
    const asked = started();
    const [json, protobuf] = [await openApi.v2Json(), await openApi.v2Protobuf()];
    const typesOf = async (name: string, content: Uint8Array, isProtobuf: boolean): Promise<unknown> => {
      const answer = await asked.ask({ ask: 'check', file: asked.file(name, content), protobuf: isProtobuf });
      assert.ok(!(answer as { error?: string }).error, JSON.stringify(answer).slice(0, 500));
      return answer;
    };
    const found = await typesOf('plain.json', json.bytes, false);
    assert.deepEqual(await typesOf('plain.pb', protobuf.bytes, true), found);
    assert.ok((found as { types: unknown[] }).types.length > 700);
  });

  describe('manifests', () => manifestSuite(started, 2_000));
  describe('patches', () => patchSuite(started, 3_000));
  describe('expressions', () => celSuite(started));
  describe('values', () => valueSuite(started, 3_000));
  describe('selectors', () => selectorSuite(started, 2_000));
  describe('strategic merge patches', () => strategicSuite(started, builtIn, { runs: 100, timeMs: 5_000 }));
  describe('server-side apply', () =>
    applySuite(started, [custom, ...builtIn], { shapes: 4, runs: 25, timeMs: 20_000 }));
});
