import type { ParamKind } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { matchesSelector, selectorOf } from '../../../shared/api/selector.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import type { BindingObject } from './policy-source.js';

/** Why a policy cannot be put to work, in the words of the original. */
export class PolicyConfigurationError extends Error {
  override readonly name = 'PolicyConfigurationError';
}

/** The objects with which a policy is evaluated, one after the other; null: without any. */
export type Params = readonly (KubernetesObject | null)[];

/** Throws a {@link PolicyConfigurationError}. */
export function paramsOf(
  paramKind: ParamKind | undefined,
  { spec }: BindingObject,
  requestNamespace: string | undefined,
  objects: ObjectReader,
  definitions: readonly ResourceDefinition[],
): Params {
  if (!paramKind) return [null];
  const definition = definitions.find(
    ({ resource }) => resource.apiVersion === paramKind.apiVersion && resource.kind === paramKind.kind,
  );
  if (!definition) {
    const { apiVersion = '', kind = '' } = paramKind;
    throw new PolicyConfigurationError(
      `failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`,
    );
  }
  const ref = spec?.paramRef;
  if (!ref) return [null];
  const namespace = namespaceOf(definition, ref.namespace, requestNamespace);
  const { resource } = definition;
  const found = ref.name
    ? [objects.find(resource, namespace, ref.name)].flatMap((one) => (one ? [one as KubernetesObject] : []))
    : selected(objects.list(resource, namespace) as KubernetesObject[], ref.selector);
  if (found.length > 0 || ref.parameterNotFoundAction === 'Allow') return found;
  throw new PolicyConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
}

function namespaceOf(
  { resource }: ResourceDefinition,
  wanted: string | undefined,
  ofRequest: string | undefined,
): string | undefined {
  if (!resource.namespaced) {
    if (!wanted) return undefined;
    throw new PolicyConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  const namespace = wanted || ofRequest;
  if (namespace) return namespace;
  throw new PolicyConfigurationError(
    "can't use namespaced paramRef in policy binding that matches cluster-scoped resources",
  );
}

function selected(
  candidates: readonly KubernetesObject[],
  given: Parameters<typeof selectorOf>[0],
): readonly KubernetesObject[] {
  const selector = selectorOf(given);
  return candidates.filter(({ metadata }) => matchesSelector(selector, metadata.labels));
}
