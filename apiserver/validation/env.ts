import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../shared/api/generated/types.js';
import { append, invalid, invalidEach, notSupported, required, type FieldError } from './field-error.js';
import { isConfigMapKey, isDns1123Subdomain, isEnvVarName, isQualifiedName } from './names.js';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function validateEnv(variables: readonly EnvVar[], path: string): FieldError[] {
  return variables.flatMap((variable, index) => {
    const at = `${path}[${index}]`;
    const { value, valueFrom } = variable;
    const name = variable.name ?? '';
    const errors = name === '' ? [required(`${at}.name`)] : invalidEach(`${at}.name`, name, isEnvVarName(name));
    if (valueFrom) append(errors, validateValueFrom(valueFrom, value ?? '', `${at}.valueFrom`));
    return errors;
  });
}

function validateValueFrom(source: EnvVarSource, value: string, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const errors: FieldError[] = [];
  if (fieldRef) append(errors, validateFieldRef(fieldRef, ENV_FIELDS, `${path}.fieldRef`));
  if (resourceFieldRef) append(errors, validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, false));
  if (configMapKeyRef) append(errors, validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) append(errors, validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (count === 0)
    errors.push(
      invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
    );
  else if (value !== '') errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
  return errors;
}

function validateKeyRef({ name = '', key }: { name?: string; key: string }, path: string): FieldError[] {
  const errors = invalidEach(`${path}.name`, name, isDns1123Subdomain(name));
  return key
    ? [...errors, ...invalidEach(`${path}.key`, key, isConfigMapKey(key))]
    : [...errors, required(`${path}.key`)];
}

/** A field of the pod; one label or annotation is asked for as `metadata.labels['name']`. */
export function validateFieldRef(selector: ObjectFieldSelector, fields: readonly string[], path: string): FieldError[] {
  if (!selector.apiVersion) return [required(`${path}.apiVersion`)];
  if (!selector.fieldPath) return [required(`${path}.fieldPath`)];
  const subscript = /^([^[]*)\['([^']*)'\]$/.exec(selector.fieldPath);
  if (subscript === null)
    return fields.includes(selector.fieldPath) ? [] : [notSupported(`${path}.fieldPath`, selector.fieldPath, fields)];
  const [, parent = '', key = ''] = subscript;
  if (parent === 'metadata.annotations')
    return invalidEach(path, key.toLowerCase(), isQualifiedName(key.toLowerCase()));
  if (parent === 'metadata.labels') return invalidEach(path, key, isQualifiedName(key));
  return [
    invalid(
      `${path}.fieldPath`,
      selector.fieldPath,
      `error converting fieldPath: field label does not support subscript`,
    ),
  ];
}

/** A request or limit of a container; in a volume the container must be named. */
export function validateResourceFieldRef(
  selector: ResourceFieldSelector,
  path: string,
  isVolume: boolean,
): FieldError[] {
  const { resource, containerName, divisor } = selector;
  const errors: FieldError[] = [];
  const isHugePages = /^(requests|limits)\.hugepages-/.test(resource ?? '');
  if (isVolume && !containerName) errors.push(required(`${path}.containerName`));
  else if (!resource) errors.push(required(`${path}.resource`));
  else if (!RESOURCE_FIELDS.includes(resource) && !isHugePages)
    errors.push(notSupported(`${path}.resource`, resource, RESOURCE_FIELDS));
  const problem = divisorProblem(resource ?? '', divisor ?? '0');
  return problem === undefined ? errors : [...errors, invalid(`${path}.divisor`, resource, problem)];
}

function divisorProblem(resource: string, divisor: string): string | undefined {
  if (divisor === '0') return undefined;
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu')
    return ['1m', '1'].includes(divisor)
      ? undefined
      : "only divisor's values 1m and 1 are supported with the cpu resource";
  if (BYTE_DIVISORS.includes(divisor)) return undefined;
  const kind =
    name === 'ephemeral-storage' ? 'local ephemeral storage' : name.startsWith('hugepages-') ? 'hugepages' : name;
  return `only divisor's values ${BYTE_DIVISORS.join(', ')} are supported with the ${kind} resource`;
}

export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`;
    const errors = prefix ? invalidEach(`${at}.prefix`, prefix, isEnvVarName(prefix)) : [];
    if (configMapRef) append(errors, validateRefName(configMapRef.name, `${at}.configMapRef.name`));
    if (secretRef) append(errors, validateRefName(secretRef.name, `${at}.secretRef.name`));
    if (!configMapRef && !secretRef)
      errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (configMapRef && secretRef)
      errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
    return errors;
  });
}

const validateRefName = (name: string | undefined, path: string): FieldError[] =>
  name ? invalidEach(path, name, isDns1123Subdomain(name)) : [required(path)];
