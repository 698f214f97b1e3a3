import type { DiscoverableResource } from '../discovery/discoverable.js';
import type { Schemas } from '../schema/schemas.js';
import { closureOf, describeDefinition, dialect3, type OpenApiObject } from './definitions.js';
import { customDefinitions, metadataDefinitions } from './custom-definitions.js';
import { kindsByDefinition } from './kinds.js';
import { operationsOf, type Operation } from './operations.js';
import type { Parameter } from './parameters.js';
import {
  byPath,
  definitionsOf,
  extensionsOf,
  parameterOf,
  patchTypesOf,
  pathParameters,
  producedBy,
  queryParameters,
  responseText,
} from './paths.js';

/** Paths of the index and the resources behind each: `api/v1`, `apis/apps/v1`. */
export function groupVersionPaths(resources: readonly DiscoverableResource[]): Map<string, DiscoverableResource[]> {
  const paths = new Map<string, DiscoverableResource[]>();
  for (const resource of resources) {
    const { group, version } = resource;
    const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    const known = paths.get(path);
    if (known) known.push(resource);
    else paths.set(path, [resource]);
  }
  return paths;
}

/** The OpenAPI 3.0 document of one group and version. */
export function openApiV3(root: string, resources: readonly DiscoverableResource[], schemas: Schemas): OpenApiObject {
  const operations = operationsOf(resources).filter(({ path }) => path.startsWith(`/${root}/`));
  const kinds = kindsByDefinition(resources);
  const used = definitionsOf(operations);
  const custom = customDefinitions(resources, dialect3, kinds);
  const names = closureOf([...used, ...(custom.length > 0 ? metadataDefinitions : [])], schemas);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.0' },
    paths: Object.fromEntries(byPath(operations).map(([path, list]) => [path, describePath(list)])),
    components: {
      schemas: Object.fromEntries([
        ...names.map((name) => [name, describeDefinition(name, schemas, dialect3, kinds.get(name) ?? [])] as const),
        ...custom,
      ]),
      securitySchemes: {
        BearerToken: {
          description: 'Bearer Token authentication',
          in: 'header',
          name: 'authorization',
          type: 'apiKey',
        },
      },
    },
  };
}

function describePath(operations: readonly Operation[]): OpenApiObject {
  const [first] = operations;
  const parameters = first
    ? pathParameters(first).map((given) => describeParameter(typeof given === 'string' ? parameterOf(given) : given))
    : [];
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, describeOperation(operation)])),
    ...(parameters.length > 0 ? { parameters } : {}),
  };
}

const describeParameter = ({ name, in: place, type, description }: Parameter): OpenApiObject => ({
  description,
  in: place,
  name,
  ...(place === 'path' ? { required: true } : {}),
  schema: { type, uniqueItems: true },
});

const reference = (definition: string): OpenApiObject =>
  definition === 'string' ? { type: 'string' } : { $ref: `#/components/schemas/${definition}` };

const content = (mediaTypes: readonly string[], definition: string): OpenApiObject =>
  Object.fromEntries(mediaTypes.map((type) => [type, { schema: reference(definition) }]));

function describeOperation(operation: Operation): OpenApiObject {
  const { body, isBodyRequired, responses, action } = operation;
  const query = queryParameters(operation).map((name) => describeParameter(parameterOf(name)));
  const produced = producedBy(operation);
  return {
    description: operation.description,
    operationId: operation.id,
    ...(query.length > 0 ? { parameters: query } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: content(action === 'patch' ? patchTypesOf(operation) : ['*/*'], body),
            ...(isBodyRequired ? { required: true } : {}),
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([code, definition]) => [
          code,
          { content: content(produced, definition), description: responseText(code) },
        ]),
      ),
      401: { description: responseText('401') },
    },
    tags: [operation.tag],
    ...extensionsOf(operation),
  };
}
