import type {
  AuditAnnotation,
  MutatingAdmissionPolicySpec,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
  ValidatingAdmissionPolicyStatus,
  Validation,
} from '../../shared/api/generated/types.js';
import { ExpressionChecker } from './admission-expression.js';
import { failurePolicies, validateMatchConditions, validateMatchResources } from './admission-rule.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  oneOf,
  required,
  type FieldError,
} from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName, isQualifiedName } from './names.js';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const actions = ['Audit', 'Deny', 'Warn'];
const mutableOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const maxAuditAnnotations = 20;
const maxValueExpressionLength = 5 * 1024;
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

type PolicySpec = ValidatingAdmissionPolicySpec | MutatingAdmissionPolicySpec;

function validateCommon(
  spec: PolicySpec,
  checker: ExpressionChecker,
  supportedOperations?: readonly string[],
): FieldError[] {
  const errors = oneOf('spec.failurePolicy', spec.failurePolicy, failurePolicies);
  if (spec.paramKind) append(errors, validateParamKind(spec.paramKind, 'spec.paramKind'));
  const path = 'spec.matchConstraints';
  if (!spec.matchConstraints) errors.push(required(path));
  else {
    append(errors, validateMatchResources(spec.matchConstraints, path, supportedOperations));
    if ((spec.matchConstraints.resourceRules ?? []).length === 0) errors.push(required(`${path}.resourceRules`));
  }
  const checkCondition = (expression: string, at: string): FieldError[] =>
    checker.expression(expression, at, 'matchCondition');
  append(errors, validateMatchConditions(spec.matchConditions, 'spec.matchConditions', checkCondition));
  for (const [index, variable] of (spec.variables ?? []).entries()) {
    const at = `spec.variables[${index}]`;
    append(errors, validateVariableName(variable.name, `${at}.name`));
    if (!variable.expression?.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
    else append(errors, checker.variable(variable, `${at}.expression`));
  }
  return errors;
}

function validateVariableName(name: string | undefined, path: string): FieldError[] {
  if (!name?.trim()) return [required(path, 'name is not specified')];
  const isIdentifier = /^[_a-zA-Z][_a-zA-Z0-9]{0,252}$/.test(name) && !reserved.has(name);
  return isIdentifier ? [] : [invalid(path, name, 'name is not a valid CEL identifier')];
}

function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const parts = apiVersion.split('/');
  const [group = '', version = ''] = parts.length === 1 ? ['', apiVersion] : parts;
  if (apiVersion === '') errors.push(required(`${path}.apiVersion`));
  else if (parts.length > 2) {
    errors.push(invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const groupProblems = group === '' ? [] : isDns1123Subdomain(group);
    if (groupProblems.length > 0) errors.push(invalid(`${path}.apiVersion`, group, groupProblems.join(',')));
    const problems = version === '' ? ['version must be specified'] : isDns1035Label(version);
    if (problems.length > 0) errors.push(invalid(`${path}.apiVersion`, version || apiVersion, problems.join(',')));
  }
  if (kind === '') return [...errors, required(`${path}.kind`)];
  const problems = isDns1035Label(kind.toLowerCase());
  if (problems.length === 0) return errors;
  const text = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
  return [...errors, invalid(`${path}.kind`, kind, text)];
}

export function validateValidatingPolicy(name: string, spec: ValidatingAdmissionPolicySpec): FieldError[] {
  const checker = new ExpressionChecker(spec.paramKind !== undefined);
  const errors = validateCommon(spec, checker);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const text = 'validations or auditAnnotations must contain at least one item';
    return [...errors, required('spec.validations', text), required('spec.auditAnnotations', text)];
  }
  for (const [index, validation] of validations.entries()) {
    append(errors, validateValidation(validation, `spec.validations[${index}]`, checker));
  }
  if (auditAnnotations.length > maxAuditAnnotations) {
    const text = `must not have more than ${maxAuditAnnotations} auditAnnotations`;
    return [...errors, invalid('spec.auditAnnotations', auditAnnotations.length, text)];
  }
  const seen = new Set<string>();
  for (const [index, annotation] of auditAnnotations.entries()) {
    const path = `spec.auditAnnotations[${index}]`;
    append(errors, validateAuditAnnotation(name, annotation, path, checker));
    if (seen.has(annotation.key)) errors.push(duplicate(`${path}.key`, annotation.key));
    seen.add(annotation.key);
  }
  return errors;
}

function validateValidation(
  { expression, message = '', messageExpression = '', reason }: Validation,
  path: string,
  checker: ExpressionChecker,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'));
  else append(errors, checker.expression(expression, `${path}.expression`, 'validation'));
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  } else if (messageExpression !== '') {
    append(errors, checker.expression(messageExpression, `${path}.messageExpression`, 'message'));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'));
  } else if (message === '' && /[\n\r]/.test(expression?.trim() ?? '')) {
    errors.push(required(`${path}.message`, 'message must be specified if expression contains line breaks'));
  }
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons));
  return errors;
}

function validateAuditAnnotation(
  name: string,
  { key, valueExpression }: AuditAnnotation,
  path: string,
  checker: ExpressionChecker,
): FieldError[] {
  const whole = `${name}/${key ?? ''}`;
  const errors = name
    ? invalidEach(`${path}.key`, whole, isQualifiedName(whole))
    : [invalid(`${path}.key`, key, 'requires metadata.name be non-empty')];
  const text = valueExpression?.trim() ?? '';
  if (text === '') return [...errors, required(`${path}.valueExpression`, 'valueExpression is not specified')];
  if (text.length <= maxValueExpressionLength) {
    return [...errors, ...checker.expression(valueExpression, `${path}.valueExpression`, 'auditAnnotation')];
  }
  return [
    ...errors,
    required(`${path}.valueExpression`, `must not exceed ${maxValueExpressionLength} bytes in length`),
  ];
}

export function validateMutatingPolicy(spec: MutatingAdmissionPolicySpec): FieldError[] {
  const checker = new ExpressionChecker(spec.paramKind !== undefined);
  const errors = validateCommon(spec, checker, mutableOperations);
  append(errors, oneOf('spec.reinvocationPolicy', spec.reinvocationPolicy, ['IfNeeded', 'Never']));
  const mutations = spec.mutations ?? [];
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  for (const [index, mutation] of mutations.entries()) {
    append(errors, validateMutation(mutation, `spec.mutations[${index}]`, checker));
  }
  return errors;
}

function validateMutation(mutation: Mutation, path: string, checker: ExpressionChecker): FieldError[] {
  const errors = oneOf(`${path}.patchType`, mutation.patchType, ['ApplyConfiguration', 'JSONPatch']);
  if (errors.length > 0) return errors;
  const [field, other] =
    mutation.patchType === 'JSONPatch'
      ? (['jsonPatch', 'applyConfiguration'] as const)
      : (['applyConfiguration', 'jsonPatch'] as const);
  if (mutation[other]) {
    const text = `must not be specified when patchType is ${mutation.patchType}`;
    errors.push(invalid(`${path}.${other}`, `{${other}}`, text));
  }
  const given = mutation[field];
  if (!given) errors.push(required(`${path}.${field}`, `must be specified when patchType is ${mutation.patchType}`));
  else if (!given.expression?.trim()) {
    errors.push(required(`${path}.${field}.expression`, 'expression is not specified'));
  } else append(errors, checker.expression(given.expression, `${path}.${field}.expression`, field));
  return errors;
}

/** What both kinds of bindings share. */
export function validatePolicyBinding(
  spec: Pick<ValidatingAdmissionPolicyBindingSpec, 'matchResources' | 'paramRef'> & { policyName?: string },
): FieldError[] {
  const errors = spec.policyName
    ? invalidEach('spec.policyName', spec.policyName, isDns1123Subdomain(spec.policyName))
    : [required('spec.policyName')];
  append(errors, validateParamRef(spec.paramRef, 'spec.paramRef'));
  // The original's path has this misspelling.
  return [...errors, ...validateMatchResources(spec.matchResources, 'spec.matchResouces')];
}

export function validateValidationActions(given: readonly string[]): FieldError[] {
  const path = 'spec.validationActions';
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, action] of given.entries()) {
    if (!actions.includes(action)) errors.push(notSupported(`${path}[${index}]`, action, actions));
    if (seen.has(action)) errors.push(duplicate(`${path}[${index}]`, action));
    seen.add(action);
  }
  if (seen.has('Deny') && seen.has('Warn')) {
    const text =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(path, given, text));
  }
  if (seen.size === 0) errors.push(required(path, 'at least one validation action is required'));
  return errors;
}

function validateParamRef(ref: ParamRef | undefined, path: string): FieldError[] {
  if (!ref) return [];
  const errors: FieldError[] = [];
  const exclusive = 'name and selector are mutually exclusive';
  if (ref.name) {
    append(errors, invalidEach(`${path}.name`, ref.name, isPathSegmentName(ref.name)));
    if (ref.selector) errors.push(forbidden(`${path}.name`, exclusive));
  }
  if (ref.selector) {
    append(errors, validateLabelSelector(ref.selector, `${path}.selector`));
    if (ref.name) errors.push(forbidden(`${path}.selector`, exclusive));
  }
  if (!ref.name && !ref.selector) errors.push(required(path, 'one of name or selector must be specified'));
  const action = ref.parameterNotFoundAction;
  return [...errors, ...oneOf(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow'])];
}

export function validatePolicyStatus(status: ValidatingAdmissionPolicyStatus | undefined): FieldError[] {
  const warnings = status?.typeChecking?.expressionWarnings ?? [];
  return warnings.flatMap(({ warning, fieldRef }, index) => {
    const path = `status.typeChecking.expressionWarnings[${index}]`;
    return [
      ...(warning ? [] : [required(`${path}.warning`)]),
      ...(fieldRef?.trim() ? [] : [required(`${path}.fieldRef`)]),
    ];
  });
}
