import { ingressclasses, ingresses } from '../../shared/api/generated/resources.js';
import type { Ingress, IngressClass, IngressRule } from '../../shared/api/generated/types.js';
import {
  INGRESS_CLASS_ANNOTATION,
  validateIngress,
  validateIngressClass,
  validateIngressClassUpdate,
  validateIngressStatus,
  validateIngressUpdate,
} from '../validation/ingress.js';
import { ageColumn, column, nameColumn, orNone } from './column.js';
import { defineKind } from './kind.js';

export const ingressDefinition = defineKind<Ingress>({
  resource: ingresses,
  shortNames: ['ing'],
  subresources: ['status'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Class', ({ spec }) => spec?.ingressClassName ?? '<none>', {
      description: 'The name of the IngressClass resource that should be used for additional configuration',
    }),
    column('Hosts', ({ spec }) => hostsText(spec?.rules ?? []), {
      description: 'Hosts that incoming requests are matched against before the ingress rule',
    }),
    column('Address', ({ status }) => addressText(status), {
      description: 'Address is a list containing ingress points for the load-balancer',
    }),
    column('Ports', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80'), {
      description: 'Ports of TLS configurations that open',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (ingress) => {
      ingress.spec ??= {};
    },
    prepareForCreate: (ingress) => {
      ingress.status = { loadBalancer: {} };
    },
    prepareForUpdate: (ingress, old) => {
      if (old.status) ingress.status = old.status;
    },
    prepareForStatusUpdate: (ingress, old) => {
      ingress.spec = old.spec;
    },
    validate: validateIngress,
    validateUpdate: validateIngressUpdate,
    validateStatusUpdate: validateIngressStatus,
    warnings: ({ metadata, spec }) =>
      metadata.annotations?.[INGRESS_CLASS_ANNOTATION] !== undefined && spec?.ingressClassName === undefined
        ? [`annotation "${INGRESS_CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
        : [],
  },
});

const SHOWN_HOSTS = 3;

function hostsText(rules: readonly IngressRule[]): string {
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []));
  if (hosts.length === 0) return '*';
  const text = hosts.slice(0, SHOWN_HOSTS).join(',');
  return hosts.length > SHOWN_HOSTS ? `${text} + ${rules.length - SHOWN_HOSTS} more...` : text;
}

function addressText(status: Ingress['status']): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
  return [...new Set(addresses.filter((address) => address !== ''))].join(',');
}

export const ingressClassDefinition = defineKind<IngressClass>({
  resource: ingressclasses,
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Controller', ({ spec }) => spec?.controller ?? '', {
      description: 'Controller that is responsible for handling this class',
    }),
    column('Parameters', ({ spec }) => parametersText(spec?.parameters), {
      description: 'A reference to a resource with additional parameters',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (ingressClass) => {
      ingressClass.spec ??= {};
      if (ingressClass.spec.parameters) ingressClass.spec.parameters.scope ??= 'Cluster';
    },
    validate: validateIngressClass,
    validateUpdate: validateIngressClassUpdate,
  },
});

function parametersText(parameters: NonNullable<IngressClass['spec']>['parameters']): string {
  if (!parameters) return orNone(undefined);
  const group = parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
  return `${parameters.kind}${group}/${parameters.name}`;
}
