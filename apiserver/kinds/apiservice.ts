import { apiservices } from '../../shared/api/generated/resources.js';
import type { APIService, APIServiceStatus } from '../../shared/api/generated/types.js';
import { setCondition } from '../../shared/api/condition.js';
import { append, invalid, invalidEach, notSupported, required, type FieldError } from '../validation/field-error.js';
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName, isPortNumber } from '../validation/names.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const apiServiceDefinition = defineKind<APIService>({
  resource: apiservices,
  categories: ['api-extensions'],
  subresources: ['status'],
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Service', serviceText, { description: 'The reference to the service that hosts this API endpoint.' }),
    column('Available', availableText, { description: 'Whether this service is available.' }),
    ageColumn(),
  ],
  strategy: {
    validateName: isPathSegmentName,
    defaults: (apiService) => {
      const spec = (apiService.spec ??= { groupPriorityMinimum: 0, versionPriority: 0 });
      if (spec.service) spec.service.port ??= 443;
    },
    prepareForCreate: (apiService) => {
      apiService.status = apiService.spec.service ? {} : localStatus(apiService.metadata.creationTimestamp);
    },
    validate,
    validateUpdate: validate,
    validateStatusUpdate: ({ status }) => validateStatus(status),
  },
});

/** What this server answers itself is there for as long as it answers at all. */
function localStatus(time: string): APIServiceStatus {
  const condition = {
    type: 'Available',
    status: 'True',
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
  return { conditions: [...setCondition([], condition, time)] };
}

function serviceText({ spec: { service } }: APIService): string {
  return service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local';
}

function availableText({ status }: APIService): string {
  const found = status?.conditions?.find(({ type }) => type === 'Available');
  if (!found) return 'Unknown';
  return found.status === 'True' || !found.reason ? found.status : `${found.status} (${found.reason})`;
}

function validate({ metadata, spec }: APIService): FieldError[] {
  const { group = '', version = '', service, caBundle = '', insecureSkipTLSVerify = false } = spec;
  const name = `${version}.${group}`;
  const errors: FieldError[] = [];
  if (metadata.name && isPathSegmentName(metadata.name).length === 0 && metadata.name !== name)
    errors.push(
      invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`),
    );
  if (group === '' && version !== 'v1')
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') append(errors, invalidEach('spec.group', group, isDns1123Subdomain(group)));
  append(errors, invalidEach('spec.version', version, isDns1035Label(version)));
  append(errors, validatePriority('groupPriorityMinimum', spec.groupPriorityMinimum, 20_000));
  append(errors, validatePriority('versionPriority', spec.versionPriority, 1000));
  if (service) append(errors, validateService(service));
  const skip = 'spec.insecureSkipTLSVerify';
  if (!service && caBundle !== '') {
    const size = `${Buffer.from(caBundle, 'base64').length} bytes`;
    errors.push(invalid('spec.caBundle', size, 'local APIServices may not have a caBundle'));
  }
  if (!service && insecureSkipTLSVerify)
    errors.push(invalid(skip, true, 'local APIServices may not have insecureSkipTLSVerify'));
  if (service && insecureSkipTLSVerify && caBundle !== '')
    errors.push(invalid(skip, true, 'may not be true if caBundle is present'));
  return errors;
}

function validatePriority(field: string, value: number | undefined, maximum: number): FieldError[] {
  if (value !== undefined && value > 0 && value <= maximum) return [];
  return [invalid(`spec.${field}`, value ?? 0, `must be positive and less than ${maximum}`)];
}

function validateService({ namespace, name, port = 0 }: NonNullable<APIService['spec']['service']>): FieldError[] {
  const errors: FieldError[] = [];
  if (!namespace) errors.push(required('spec.service.namespace'));
  if (!name) errors.push(required('spec.service.name'));
  const problems = isPortNumber(port);
  if (problems.length > 0) errors.push(invalid('spec.service.port', port, `port is not valid: ${problems.join(', ')}`));
  return errors;
}

function validateStatus(status: APIServiceStatus | undefined): FieldError[] {
  const known = ['True', 'False', 'Unknown'];
  return (status?.conditions ?? []).flatMap((condition, index) =>
    known.includes(condition.status)
      ? []
      : [notSupported(`status.conditions[${index}].status`, condition.status, known)],
  );
}
