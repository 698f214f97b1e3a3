import { namespaces } from '../../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Attributes } from '../../authorization/authorizer.js';
import type { User } from '../../authentication/user.js';
import type { Budget } from '../../cel/budget.js';
import type { Program, VariableValues } from '../../cel/environment.js';
import {
  authorizerValue,
  requestResourceValue,
  type AccessAnswer,
  type AccessQuestion,
} from '../../cel/functions/authorizer.js';
import { fromJson } from '../../cel/json-values.js';
import { LazyMap, type CelValue } from '../../cel/values.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import type { AdmissionRequest } from '../admission.js';
import type { Reviewed } from '../matching/reviewed.js';
import { DecisionFailure, type Decisions } from './decisions.js';
import { namespaceType, requestType } from './expression-environment.js';

/** Whom expressions may ask. */
export interface ExpressionSources {
  readonly objects: ObjectReader;
  readonly decisions: Decisions;
}

/** What the variables of expressions mean for one request; nothing is looked up before an expression reads it. */
export function expressionValues(
  request: AdmissionRequest,
  reviewed: Reviewed,
  { objects, decisions }: ExpressionSources,
): VariableValues {
  const ask = (question: AccessQuestion): AccessAnswer => askAuthorizer(decisions, request.user, question);
  return {
    object: () => fromJson(reviewed.object ?? null),
    oldObject: () => fromJson(reviewed.oldObject ?? null),
    request: () => fromJson(requestJson(request, reviewed), requestType),
    namespaceObject: () => fromJson(namespaceOf(request, objects) ?? null, namespaceType),
    authorizer: () => authorizerValue(ask),
    'authorizer.requestResource': () => {
      const { group, resource } = request.definition.resource;
      const { namespace, name, subresource } = request;
      return requestResourceValue(ask, {
        group,
        resource,
        ...(subresource ? { subresource } : {}),
        ...(namespace ? { namespace } : {}),
        ...(name ? { name } : {}),
      });
    },
  };
}

function requestJson(request: AdmissionRequest, { kind, resource }: Reviewed): object {
  const { definition, subresource, user, options } = request;
  const own = definition.resource;
  return {
    kind,
    resource: { group: resource.group, version: resource.version, resource: resource.resource },
    subResource: subresource,
    requestKind: request.kind ?? { group: own.group, version: own.version, kind: own.kind },
    requestResource: { group: own.group, version: own.version, resource: own.resource },
    requestSubResource: subresource,
    name: request.name,
    namespace: request.namespace ?? '',
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups,
      extra: user.extra ?? {},
    },
    dryRun: request.isDryRun,
    options: options ?? null,
  };
}

/** For a namespace itself: what it will be. */
function namespaceOf(request: AdmissionRequest, objects: ObjectReader): KubernetesObject | undefined {
  const { group, resource } = request.definition.resource;
  if (group === '' && resource === 'namespaces') return undefined;
  return request.namespace === undefined ? undefined : objects.find(namespaces, undefined, request.namespace);
}

function askAuthorizer(
  decisions: Decisions,
  asking: User,
  { verb, path, group = '', resource = '', serviceAccount: account, ...more }: AccessQuestion,
): AccessAnswer {
  const user: User = account
    ? {
        name: `system:serviceaccount:${account.namespace}:${account.name}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'],
      }
    : asking;
  const attributes: Attributes = {
    user,
    verb,
    isResourceRequest: path === undefined,
    group,
    version: '*',
    resource,
    subresource: more.subresource ?? '',
    namespace: more.namespace,
    name: more.name ?? '',
    path: path ?? '',
    ...(more.fieldSelector === undefined ? {} : { fieldSelector: more.fieldSelector }),
    ...(more.labelSelector === undefined ? {} : { labelSelector: more.labelSelector }),
  };
  try {
    const { verdict, reason } = decisions.decide(attributes);
    return { isAllowed: verdict === 'allow', reason };
  } catch (error) {
    if (!(error instanceof DecisionFailure)) throw error;
    return { isAllowed: false, reason: '', error: error.message };
  }
}

/** Adds `variables`, each computed when it is first read and then kept. */
export function withVariables(
  values: VariableValues,
  variables: readonly { readonly name: string; readonly program: Program }[],
  budget: Budget,
): VariableValues {
  const made: LazyMap = new LazyMap(
    'kubernetes.variables',
    variables.map(({ name, program }) => [name, (): CelValue => program.evaluate(all, budget)] as const),
  );
  const all: VariableValues = { ...values, variables: made };
  return all;
}
