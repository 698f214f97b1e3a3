import type { OpenApiObject } from './definitions.js';
import type { Operation } from './operations.js';
import {
  inlineParameters,
  parametersOfAction,
  parametersOfSubresource,
  sharedParameters,
  type InlineParameter,
  type Parameter,
  type SharedParameter,
} from './parameters.js';

export const objectMediaTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;
const watchMediaTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'] as const;
const patchMediaTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;

const streamed = new Set(['list', 'watch', 'watchlist']);

/** Media types of the patches that an operation takes. */
export const patchTypesOf = ({ isCustom }: Operation): readonly string[] =>
  isCustom ? patchMediaTypes.filter((type) => type !== 'application/strategic-merge-patch+json') : patchMediaTypes;

/** Media types of an operation's answers. */
export function producedBy(operation: Operation): readonly string[] {
  if (operation.action === 'connect') return ['*/*'];
  if (operation.mediaType) return [operation.mediaType];
  if (operation.path.endsWith('/log')) return ['text/plain', ...objectMediaTypes];
  return streamed.has(operation.action ?? '') ? [...objectMediaTypes, ...watchMediaTypes] : objectMediaTypes;
}

/** Parameters that all operations of a path share: what stands in the path, and the form of the answer. */
export function pathParameters(operation: Operation): (Parameter | SharedParameter)[] {
  const { path, kind, action } = operation;
  const parameters: (Parameter | SharedParameter)[] = [];
  if (path.includes('{name}')) {
    const description = `name of the ${kind?.kind ?? 'object'}`;
    parameters.push({ name: 'name', in: 'path', type: 'string', description });
  }
  if (path.includes('{namespace}')) parameters.push('namespace');
  if (path.includes('{path}')) {
    parameters.push({ name: 'path', in: 'path', type: 'string', description: 'path to the resource' });
  }
  if (action !== undefined && action !== 'connect') parameters.push('pretty');
  return parameters;
}

type AnyParameter = Parameter | SharedParameter | InlineParameter;

export function queryParameters({ action = '', path }: Operation): readonly AnyParameter[] {
  const [, subresource = ''] = /\/\{name\}\/([a-z]+)/.exec(path) ?? [];
  return [...(parametersOfAction[action] ?? []), ...(parametersOfSubresource[subresource] ?? [])];
}

/** Whether it stands in the operation itself, and not among what operations share. */
export const isInline = (name: AnyParameter): name is Parameter | InlineParameter =>
  typeof name !== 'string' || name in inlineParameters;

export function parameterOf(name: AnyParameter): Parameter {
  if (typeof name !== 'string') return name;
  return isInlineName(name) ? inlineParameters[name] : sharedParameters[name];
}

const isInlineName = (name: string): name is InlineParameter => name in inlineParameters;

/** Extensions that tell kubectl what an operation is for. */
export function extensionsOf({ action, kind }: Operation): OpenApiObject {
  return {
    ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
    ...(kind
      ? { 'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.kind, version: kind.version } }
      : {}),
  };
}

/** Operations by path, in the order of the paths. */
export function byPath(operations: readonly Operation[]): [path: string, operations: Operation[]][] {
  const paths = new Map<string, Operation[]>();
  for (const operation of operations) {
    const known = paths.get(operation.path);
    if (known) known.push(operation);
    else paths.set(operation.path, [operation]);
  }
  return [...paths].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Definitions that the operations name. */
export function definitionsOf(operations: readonly Operation[]): Set<string> {
  const names = operations.flatMap(({ body, responses }) => [...Object.values(responses), ...(body ? [body] : [])]);
  return new Set(names.filter((name) => name !== 'string'));
}

export const responseText = (code: string): string =>
  ({ 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' })[code] ?? 'OK';
