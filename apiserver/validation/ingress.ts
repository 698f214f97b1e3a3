import { isIP } from 'node:net';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressClassParametersReference,
  IngressRule,
  IngressTLS,
  TypedLocalObjectReference,
} from '../../shared/api/generated/types.js';
import { validateIp } from './address.js';
import {
  append,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from './field-error.js';
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isDomainPrefixedPath,
  isPathSegmentName,
  isPortName,
  isPortNumber,
  isWildcardSubdomain,
} from './names.js';
import { validateImmutable } from './object-meta.js';

export const INGRESS_CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];
const MAX_CONTROLLER = 250;
const NO_IP = 'must be a DNS name, not an IP address';

export function validateIngress(ingress: Ingress): FieldError[] {
  const errors = validateIngressUpdate(ingress);
  const annotation = ingress.metadata.annotations?.[INGRESS_CLASS_ANNOTATION];
  const name = ingress.spec?.ingressClassName;
  if (annotation !== undefined && name !== undefined && annotation !== name)
    errors.push(
      invalid(
        `annotations.${INGRESS_CLASS_ANNOTATION}`,
        annotation,
        'must match `ingressClassName` when both are specified',
      ),
    );
  return errors;
}

export function validateIngressUpdate({ spec }: Ingress): FieldError[] {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec ?? {};
  const errors: FieldError[] = [];
  if (rules.length === 0 && !defaultBackend)
    errors.push(invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified'));
  if (defaultBackend) append(errors, validateBackend(defaultBackend, 'spec.defaultBackend'));
  for (const [index, rule] of rules.entries()) append(errors, validateRule(rule, `spec.rules[${index}]`));
  for (const [index, one] of tls.entries()) append(errors, validateTls(one, `spec.tls[${index}]`));
  if (ingressClassName !== undefined)
    append(errors, invalidEach('spec.ingressClassName', ingressClassName, isDns1123Subdomain(ingressClassName)));
  return errors;
}

function validateTls({ hosts = [], secretName }: IngressTLS, path: string): FieldError[] {
  const errors = hosts.flatMap((host, index) => validateHostName(host, `${path}.hosts[${index}]`));
  if (secretName) append(errors, invalidEach(`${path}.secretName`, secretName, isDns1123Subdomain(secretName)));
  return errors;
}

const validateHostName = (host: string, path: string): FieldError[] =>
  invalidEach(path, host, host.includes('*') ? isWildcardSubdomain(host) : isDns1123Subdomain(host));

function validateRule({ host, http }: IngressRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host) {
    if (isIP(host) !== 0) errors.push(invalid(`${path}.host`, host, NO_IP));
    append(errors, validateHostName(host, `${path}.host`));
  }
  if (!http) return errors;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(required(`${path}.http.paths`));
  for (const [index, one] of paths.entries()) append(errors, validatePath(one, `${path}.http.paths[${index}]`));
  return errors;
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, at: string): FieldError[] {
  if (pathType === undefined) return [required(`${at}.pathType`, 'pathType must be specified')];
  const errors: FieldError[] = [];
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES));
  else if (!path.startsWith('/') && (path !== '' || pathType !== 'ImplementationSpecific'))
    errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const part of BAD_SEQUENCES)
      if (path.includes(part)) errors.push(invalid(`${at}.path`, path, `must not contain '${part}'`));
    for (const end of BAD_ENDS)
      if (path.endsWith(end)) errors.push(invalid(`${at}.path`, path, `cannot end with '${end}'`));
  }
  append(errors, validateBackend(backend ?? {}, `${at}.backend`));
  return errors;
}

function validateBackend({ service, resource }: IngressBackend, path: string): FieldError[] {
  if (resource && service) return [invalid(path, '', 'cannot set both resource and service backends')];
  if (resource) return validateReference(resource, `${path}.resource`);
  if (!service) return [invalid(path, '', 'resource or service backend is required')];
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(`${path}.service.name`));
  else append(errors, invalidEach(`${path}.service.name`, service.name, isDns1035Label(service.name)));
  const { name, number } = service.port ?? {};
  const at = `${path}.service.port`;
  if (name && number) errors.push(invalid(path, '', 'cannot set both port name & port number'));
  else if (name) append(errors, invalidEach(`${at}.name`, name, isPortName(name)));
  else if (number) append(errors, invalidEach(`${at}.number`, number, isPortNumber(number)));
  else errors.push(required(path, 'port name or number is required'));
  return errors;
}

function validateReference({ apiGroup, kind, name }: TypedLocalObjectReference, path: string): FieldError[] {
  const errors = apiGroup === undefined ? [] : invalidEach(`${path}.apiGroup`, apiGroup, isDns1123Subdomain(apiGroup));
  if (!kind) errors.push(required(`${path}.kind`, 'kind is required'));
  else append(errors, invalidEach(`${path}.kind`, kind, isPathSegmentName(kind)));
  if (!name) errors.push(required(`${path}.name`, 'name is required'));
  else append(errors, invalidEach(`${path}.name`, name, isPathSegmentName(name)));
  return errors;
}

export function validateIngressStatus({ status }: Ingress): FieldError[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`;
    const errors = ip ? validateIp(`${path}.ip`, ip) : [];
    if (!hostname) return errors;
    append(errors, invalidEach(`${path}.hostname`, hostname, isDns1123Subdomain(hostname)));
    if (isIP(hostname) !== 0) errors.push(invalid(`${path}.hostname`, hostname, NO_IP));
    return errors;
  });
}

export function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec ?? {};
  const path = 'spec.controller';
  const errors = controller.length > MAX_CONTROLLER ? [tooLong(path, MAX_CONTROLLER)] : [];
  if (controller === '') errors.push(required(path));
  else append(errors, invalidEach(path, controller, isDomainPrefixedPath(controller)));
  if (parameters) append(errors, validateParameters(parameters, 'spec.parameters'));
  return errors;
}

export function validateIngressClassUpdate(ingressClass: IngressClass, old: IngressClass): FieldError[] {
  return [
    ...validateImmutable(ingressClass.spec?.controller, old.spec?.controller, 'spec.controller'),
    ...validateIngressClass(ingressClass),
  ];
}

function validateParameters(parameters: IngressClassParametersReference, path: string): FieldError[] {
  const { scope, namespace } = parameters;
  const errors = validateReference(parameters, path);
  if (scope === undefined) return [...errors, required(`${path}.scope`)];
  if (scope !== 'Cluster' && scope !== 'Namespace')
    errors.push(notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']));
  const at = `${path}.namespace`;
  if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(required(at, "`parameters.scope` is set to 'Namespace'"));
    else append(errors, invalidEach(at, namespace, isDns1123Label(namespace)));
  }
  if (scope === 'Cluster' && namespace !== undefined)
    errors.push(forbidden(at, "`parameters.scope` is set to 'Cluster'"));
  return errors;
}
