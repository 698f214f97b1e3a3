import type { DiscoverableResource } from '../discovery/discoverable.js';
import type { Schemas } from '../schema/schemas.js';
import { closureOf, describeDefinition, dialect2, type OpenApiObject } from './definitions.js';
import { customDefinitions } from './custom-definitions.js';
import { kindsByDefinition } from './kinds.js';
import { operationsOf, type Operation } from './operations.js';
import { sharedParameters, type Parameter, type SharedParameter } from './parameters.js';
import {
  byPath,
  definitionsOf,
  extensionsOf,
  isInline,
  objectMediaTypes,
  parameterOf,
  patchTypesOf,
  pathParameters,
  producedBy,
  queryParameters,
  responseText,
} from './paths.js';

/** The OpenAPI (Swagger) 2.0 document of what the server serves: megabytes, so it is made in many steps. */
export function* openApiV2(
  resources: readonly DiscoverableResource[],
  schemas: Schemas,
): Generator<void, OpenApiObject> {
  const operations = operationsOf(resources);
  yield;
  const kinds = kindsByDefinition(resources);
  const definitions: [name: string, definition: OpenApiObject][] = [];
  for (const name of closureOf(definitionsOf(operations), schemas)) {
    definitions.push([name, describeDefinition(name, schemas, dialect2, kinds.get(name) ?? [])]);
    yield;
  }
  definitions.push(...customDefinitions(resources, dialect2, kinds));
  const paths: [path: string, item: OpenApiObject][] = [];
  for (const [path, list] of byPath(operations)) {
    paths.push([path, describePath(list)]);
    yield;
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.36.0' },
    paths: Object.fromEntries(paths),
    definitions: Object.fromEntries(definitions),
    parameters: Object.fromEntries(
      Object.entries(sharedParameters).map(([name, parameter]) => [name, describeParameter(parameter)]),
    ),
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
    },
    security: [{ BearerToken: [] }],
  };
}

function describePath(operations: readonly Operation[]): OpenApiObject {
  const [first] = operations;
  const parameters = first ? pathParameters(first).map(parameterOrReference) : [];
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, describeOperation(operation)])),
    ...(parameters.length > 0 ? { parameters } : {}),
  };
}

function parameterOrReference(parameter: Parameter | SharedParameter): OpenApiObject {
  return typeof parameter === 'string' ? { $ref: `#/parameters/${parameter}` } : describeParameter(parameter);
}

const describeParameter = ({ name, in: place, type, description }: Parameter): OpenApiObject => ({
  description,
  in: place,
  name,
  ...(place === 'path' ? { required: true } : {}),
  type,
  uniqueItems: true,
});

function describeOperation(operation: Operation): OpenApiObject {
  const query = queryParameters(operation).map((name) =>
    isInline(name) ? describeParameter(parameterOf(name)) : parameterOrReference(name),
  );
  const parameters = [...(operation.body === undefined ? [] : [bodyParameter(operation)]), ...query];
  return {
    ...(operation.takesNothing ? {} : { consumes: consumedBy(operation) }),
    description: operation.description,
    operationId: operation.id,
    ...(parameters.length > 0 ? { parameters } : {}),
    produces: producedBy(operation),
    responses: { ...describeResponses(operation), 401: { description: responseText('401') } },
    schemes: ['https'],
    tags: [operation.tag],
    ...extensionsOf(operation),
  };
}

function consumedBy(operation: Operation): readonly string[] {
  if (operation.action === undefined) return operation.mediaType ? [operation.mediaType] : objectMediaTypes;
  return operation.action === 'patch' ? patchTypesOf(operation) : ['*/*'];
}

function bodyParameter({ body, isBodyRequired }: Operation): OpenApiObject {
  return {
    in: 'body',
    name: 'body',
    ...(isBodyRequired ? { required: true } : {}),
    schema: { $ref: `#/definitions/${body}` },
  };
}

function describeResponses({ responses }: Operation): OpenApiObject {
  return Object.fromEntries(
    Object.entries(responses).map(([code, definition]) => [
      code,
      {
        description: responseText(code),
        schema: definition === 'string' ? { type: 'string' } : { $ref: `#/definitions/${definition}` },
      },
    ]),
  );
}
