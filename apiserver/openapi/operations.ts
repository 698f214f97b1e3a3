import type { DiscoverableResource, GroupVersionKind } from '../discovery/discoverable.js';
import { deletionAnswersObject } from '../registry/deletion-answer.js';
import { definitionOfKind } from './kind-names.js';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** One operation, in words that both versions of OpenAPI are written from. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';
  /** With `{namespace}` and `{name}`. */
  readonly path: string;
  /** x-kubernetes-action; absent for discovery. */
  readonly action?: string;
  readonly id: string;
  readonly description: string;
  readonly tag: string;
  readonly kind?: GroupVersionKind;
  /** Definition of the body. */
  readonly body?: string;
  readonly isBodyRequired?: boolean;
  /** What is answered, where it is not objects. */
  readonly mediaType?: string;
  /** Has no media types of bodies, as the original has it for OpenID. */
  readonly takesNothing?: boolean;
  /** Of a custom resource, which no strategic merge patch fits. */
  readonly isCustom?: boolean;
  /** Definition by status code; `string` is text. */
  readonly responses: Readonly<Record<string, string>>;
}

type Method = Operation['method'];

/** What an operation is about: a collection, an object, or a subresource. */
interface Target {
  readonly resource: DiscoverableResource;
  readonly basePath: string;
  readonly subresource: string;
  readonly kind: GroupVersionKind;
  readonly definition: string | undefined;
}

/** What is neither a resource nor tells of resources. */
const otherOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/version/',
    id: 'getCodeVersion',
    description: 'get the version information for this server',
    tag: 'version',
    mediaType: 'application/json',
    responses: { 200: 'io.k8s.apimachinery.pkg.version.Info' },
  },
  {
    method: 'get',
    path: '/.well-known/openid-configuration/',
    id: 'getServiceAccountIssuerOpenIDConfiguration',
    description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
    tag: 'WellKnown',
    mediaType: 'application/json',
    takesNothing: true,
    responses: { 200: 'string' },
  },
  {
    method: 'get',
    path: '/openid/v1/jwks/',
    id: 'getServiceAccountIssuerOpenIDKeyset',
    description: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
    tag: 'openid',
    mediaType: 'application/jwk-set+json',
    takesNothing: true,
    responses: { 200: 'string' },
  },
];

/** The operations of all resources, of discovery and of the server itself. */
export function operationsOf(resources: readonly DiscoverableResource[]): Operation[] {
  return [...discoveryOperations(resources), ...otherOperations, ...resources.flatMap(resourceOperations)];
}

function resourceOperations(resource: DiscoverableResource): Operation[] {
  const { group, version, kind } = resource;
  const definition = definitionOfKind(resource);
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = resource.namespaced ? '/namespaces/{namespace}' : '';
  const basePath = `${root}${scope}/${resource.resource}`;
  const target = {
    resource,
    basePath,
    subresource: '',
    kind: { group, version, kind },
    definition,
  };
  const objectOperations = collectionOperations(target);
  if (resource.namespaced && resource.verbs.includes('list')) {
    objectOperations.push(listOperation(target, `${root}/${resource.resource}`, true));
  }
  if (resource.verbs.includes('watch')) objectOperations.push(...watchOperations(target, root, scope));
  return [
    ...objectOperations,
    ...resource.subresources.flatMap(({ name, responseKind, verbs }) =>
      subresourceOperations(
        { resource, basePath, subresource: name, kind: responseKind, definition: definitionOfKind(responseKind) },
        verbs,
      ),
    ),
  ];
}

function collectionOperations(target: Target): Operation[] {
  const { resource, basePath, kind, definition } = target;
  const { verbs } = resource;
  const one = `${basePath}/{name}`;
  const operations: Operation[] = [];
  const add = (verb: string, build: () => Operation): void => {
    if (verbs.includes(verb)) operations.push(build());
  };
  const named = withArticle(kind.kind);
  add('list', () => listOperation(target, basePath, false));
  add('create', () => write(target, 'post', basePath, 'create', `create ${named}`));
  add('deletecollection', () => ({
    ...operation(target, 'delete', basePath, {
      action: 'deletecollection',
      verb: 'delete',
      infix: 'Collection',
      description: `delete collection of ${kind.kind}`,
    }),
    body: `${meta}.DeleteOptions`,
    responses: { 200: `${meta}.Status` },
  }));
  add('get', () => read(target, one, `read the specified ${kind.kind}`, definition));
  add('update', () => write(target, 'put', one, 'replace', `replace the specified ${kind.kind}`));
  add('patch', () => patch(target, one, `partially update the specified ${kind.kind}`));
  add('delete', () => ({
    ...operation(target, 'delete', one, { action: 'delete', verb: 'delete', description: `delete ${named}` }),
    body: `${meta}.DeleteOptions`,
    responses: deletionResponses(target),
  }));
  return operations;
}

function deletionResponses({ resource, definition }: Target): Record<string, string> {
  const answer = deletionAnswersObject(resource) && definition !== undefined ? definition : `${meta}.Status`;
  return { 200: answer, 202: answer };
}

function listOperation(target: Target, path: string, isForAllNamespaces: boolean): Operation {
  const verb = target.resource.verbs.includes('watch') ? 'list or watch' : 'list';
  const description = `${verb} objects of kind ${target.kind.kind}`;
  return {
    ...operation(target, 'get', path, { action: 'list', verb: 'list', description, isForAllNamespaces }),
    responses: { 200: target.definition ? `${target.definition}List` : 'string' },
  };
}

/** The old form of watches, by a path of their own. */
function watchOperations(target: Target, root: string, scope: string): Operation[] {
  const { resource } = target;
  const { kind } = target.kind;
  const instead = "deprecated: use the 'watch' parameter with a list operation instead";
  const build = (path: string, action: 'watch' | 'watchlist', isForAllNamespaces = false): Operation => ({
    ...operation(target, 'get', path, {
      action,
      verb: 'watch',
      suffix: action === 'watchlist' ? 'List' : '',
      description:
        action === 'watchlist'
          ? `watch individual changes to a list of ${kind}. ${instead}.`
          : `watch changes to an object of kind ${kind}. ${instead}, filtered to a single item with the 'fieldSelector' parameter.`,
      isForAllNamespaces,
    }),
    responses: { 200: `${meta}.WatchEvent` },
  });
  const collection = `${root}/watch${scope}/${resource.resource}`;
  const operations = [build(collection, 'watchlist'), build(`${collection}/{name}`, 'watch')];
  if (resource.namespaced) operations.push(build(`${root}/watch/${resource.resource}`, 'watchlist', true));
  return operations;
}

function subresourceOperations(target: Target, verbs: readonly string[]): Operation[] {
  const { resource, basePath, subresource, definition } = target;
  const path = `${basePath}/{name}/${subresource}`;
  const of = `${subresource} of the specified ${resource.kind}`;
  if (['attach', 'exec', 'portforward', 'proxy'].includes(subresource)) return connectOperations(target, path);
  const operations: Operation[] = [];
  if (verbs.includes('get')) {
    operations.push(read(target, path, `read ${of}`, subresource === 'log' ? undefined : definition));
  }
  if (verbs.includes('create')) {
    operations.push(write(target, 'post', path, 'create', `create ${subresource} of ${withArticle(resource.kind)}`));
  }
  if (verbs.includes('update')) operations.push(write(target, 'put', path, 'replace', `replace ${of}`));
  if (verbs.includes('patch')) operations.push(patch(target, path, `partially update ${of}`));
  return operations;
}

function connectOperations(target: Target, path: string): Operation[] {
  const { resource, subresource } = target;
  const isProxy = subresource === 'proxy';
  const methods: Method[] = isProxy ? ['delete', 'get', 'head', 'options', 'patch', 'post', 'put'] : ['get', 'post'];
  const paths = isProxy ? [path, `${path}/{path}`] : [path];
  return paths.flatMap((each) =>
    methods.map((method) => {
      const description = `connect ${method.toUpperCase()} requests to ${subresource} of ${resource.kind}`;
      const naming = { action: 'connect', verb: 'connect', infix: capital(method), description };
      const built = operation(target, method, each, naming);
      return { ...built, id: each === path ? built.id : `${built.id}WithPath`, responses: { 200: 'string' } };
    }),
  );
}

function read(target: Target, path: string, description: string, definition: string | undefined): Operation {
  return {
    ...operation(target, 'get', path, { action: 'get', verb: 'read', description }),
    responses: { 200: definition ?? 'string' },
  };
}

function write(target: Target, method: 'post' | 'put', path: string, verb: string, description: string): Operation {
  const definition = target.definition ?? 'string';
  return {
    ...operation(target, method, path, { action: method, verb, description }),
    ...(target.definition ? { body: target.definition, isBodyRequired: true } : {}),
    responses: { 200: definition, 201: definition, ...(method === 'post' ? { 202: definition } : {}) },
  };
}

function patch(target: Target, path: string, description: string): Operation {
  const definition = target.definition ?? 'string';
  return {
    ...operation(target, 'patch', path, { action: 'patch', verb: 'patch', description }),
    body: `${meta}.Patch`,
    isBodyRequired: true,
    ...(target.resource.openApi ? { isCustom: true } : {}),
    responses: { 200: definition, 201: definition },
  };
}

/** How an operation is named: `VERB Group Version INFIX Namespaced Kind Subresource`. */
interface Naming {
  readonly action: string;
  readonly verb: string;
  readonly infix?: string;
  readonly suffix?: string;
  readonly description: string;
  readonly isForAllNamespaces?: boolean;
}

function operation(
  { resource, subresource, kind }: Target,
  method: Method,
  path: string,
  { action, verb, infix = '', suffix = '', description, isForAllNamespaces = false }: Naming,
): Omit<Operation, 'responses'> {
  const group = groupName(resource.group);
  const scope = resource.namespaced && !isForAllNamespaces ? 'Namespaced' : '';
  const subject = `${scope}${resource.kind}${suffix}${capital(subresource)}${isForAllNamespaces ? 'ForAllNamespaces' : ''}`;
  return {
    method,
    path,
    action,
    description,
    id: `${verb}${capital(group)}${capital(resource.version)}${infix}${subject}`,
    tag: `${group}_${resource.version}`,
    kind,
  };
}

function discoveryOperations(resources: readonly DiscoverableResource[]): Operation[] {
  const paths = new Map<string, Operation>();
  const add = (path: string, tag: string, id: string, description: string, definition: string): void => {
    paths.set(path, { method: 'get', path, id, description, tag, responses: { 200: `${meta}.${definition}` } });
  };
  add('/api/', 'core', 'getCoreAPIVersions', 'get available API versions', 'APIVersions');
  add('/apis/', 'apis', 'getAPIVersions', 'get available API versions', 'APIGroupList');
  for (const { group, version } of resources) {
    const name = groupName(group);
    const id = capital(name);
    const versioned = group === '' ? `/api/${version}/` : `/apis/${group}/${version}/`;
    if (group !== '') add(`/apis/${group}/`, name, `get${id}APIGroup`, 'get information of a group', 'APIGroup');
    const listId = `get${id}${capital(version)}APIResources`;
    add(versioned, `${name}_${version}`, listId, 'get available resources', 'APIResourceList');
  }
  return [...paths.values()];
}

/** `core`, `apps`, `rbacAuthorization`: as operation ids and tags name a group. */
function groupName(group: string): string {
  if (group === '') return 'core';
  const [first = '', ...rest] = group.replace(/\.k8s\.io$/, '').split('.');
  return [first, ...rest.map(capital)].join('');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function withArticle(kind: string): string {
  if (kind.endsWith('s') && !kind.endsWith('ss')) return kind;
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
