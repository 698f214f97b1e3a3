import type {
  AdmissionregistrationV1ServiceReference,
  AdmissionregistrationV1WebhookClientConfig,
  MutatingWebhook,
  ValidatingWebhook,
} from '../../shared/api/generated/types.js';
import { ExpressionChecker } from './admission-expression.js';
import { failurePolicies, matchPolicies, validateMatchConditions, validateRule } from './admission-rule.js';
import {
  append,
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  optionalOneOf,
  required,
  type FieldError,
} from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isDns1035Label, isDns1123Subdomain, isPortNumber } from './names.js';

type Webhook = MutatingWebhook | ValidatingWebhook;
type CheckExpression = (expression: string, path: string) => FieldError[];

/** In the order of preference of the original; the first is what this server speaks. */
const reviewVersions = ['v1', 'v1beta1'];
const quietSideEffects = ['None', 'NoneOnDryRun'];
const allSideEffects = [...quietSideEffects, 'Some', 'Unknown'];
const urlForm = '; desired format: https://host[/path]';

/** What a configuration may still have because it was stored that way, or came in a version that let it. */
export interface WebhookLeniency {
  readonly sideEffects?: boolean;
  readonly unknownReviewVersions?: boolean;
  readonly repeatedNames?: boolean;
}

/** What v1beta1 let pass. */
export const undemanding: WebhookLeniency = { sideEffects: true, repeatedNames: true };

/** What an update may keep: where the stored one has a fault already, another of its kind is not refused. */
export const leniencyOf = (old: readonly Webhook[]): WebhookLeniency => ({
  sideEffects: !old.every(({ sideEffects }) => quietSideEffects.includes(sideEffects)),
  unknownReviewVersions: !old.every(({ admissionReviewVersions: known }) =>
    (known ?? []).some((version) => reviewVersions.includes(version)),
  ),
  repeatedNames: new Set(old.map(({ name }) => name)).size < old.length,
});

/** All webhooks of a configuration. */
export function validateWebhooks(
  webhooks: readonly Webhook[] | undefined,
  leniency: WebhookLeniency = {},
): FieldError[] {
  const errors: FieldError[] = [];
  const checker = new ExpressionChecker(false);
  const checkExpression: CheckExpression = (expression, path) => checker.expression(expression, path, 'matchCondition');
  const seen = new Set<string>();
  for (const [index, webhook] of (webhooks ?? []).entries()) {
    const path = `webhooks[${index}]`;
    append(errors, validateWebhook(webhook, path, { checkExpression, leniency }));
    const versions = webhook.admissionReviewVersions ?? [];
    append(errors, validateReviewVersions(versions, `${path}.admissionReviewVersions`, leniency));
    if (!leniency.repeatedNames && webhook.name && seen.has(webhook.name))
      errors.push(duplicate(`${path}.name`, webhook.name));
    seen.add(webhook.name);
  }
  return errors;
}

interface WebhookRules {
  readonly checkExpression: CheckExpression;
  readonly leniency: WebhookLeniency;
}

function validateWebhook(webhook: Webhook, path: string, { checkExpression, leniency }: WebhookRules): FieldError[] {
  const errors = validateQualifiedDomain(webhook.name, `${path}.name`);
  for (const [index, rule] of (webhook.rules ?? []).entries()) {
    append(errors, validateRule(rule, `${path}.rules[${index}]`));
  }
  append(errors, optionalOneOf(`${path}.failurePolicy`, webhook.failurePolicy, failurePolicies));
  append(errors, optionalOneOf(`${path}.matchPolicy`, webhook.matchPolicy, matchPolicies));
  append(errors, validateSideEffects(webhook.sideEffects, `${path}.sideEffects`, leniency));
  const { timeoutSeconds: timeout } = webhook;
  if (timeout !== undefined && (timeout > 30 || timeout < 1)) {
    errors.push(invalid(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'));
  }
  append(errors, validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`));
  append(errors, validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`));
  if ('reinvocationPolicy' in webhook) {
    const policy = webhook.reinvocationPolicy;
    append(errors, optionalOneOf(`${path}.reinvocationPolicy`, policy, ['IfNeeded', 'Never']));
  }
  append(errors, validateClientConfig(webhook.clientConfig, `${path}.clientConfig`));
  return [...errors, ...validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`, checkExpression)];
}

function validateSideEffects(given: string | undefined, path: string, { sideEffects }: WebhookLeniency): FieldError[] {
  const allowed = sideEffects ? allSideEffects : quietSideEffects;
  if (!given) return [required(path, `must specify one of ${allowed.join(', ')}`)];
  return allowed.includes(given) ? [] : [notSupported(path, given, allowed)];
}

/** A domain of three parts at least: `webhook.group.org`. */
function validateQualifiedDomain(name: string | undefined, path: string): FieldError[] {
  if (!name) return [required(path)];
  const problems = isDns1123Subdomain(name);
  if (problems.length > 0) return [invalid(path, name, problems.join(','))];
  if (name.split('.').length >= 3) return [];
  return [invalid(path, name, 'should be a domain with at least three segments separated by dots')];
}

function validateReviewVersions(
  versions: readonly string[],
  path: string,
  { unknownReviewVersions }: WebhookLeniency,
): FieldError[] {
  const known = reviewVersions.join(', ');
  if (versions.length === 0) return [required(path, `must specify one of ${known}`)];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const at = `${path}[${index}]`;
    if (seen.has(version)) errors.push(invalid(at, version, 'duplicate version'));
    else append(errors, invalidEach(at, version, isDns1035Label(version)));
    seen.add(version);
  }
  if (!unknownReviewVersions && !versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${known}`));
  }
  return errors;
}

/** How a webhook is reached: by URL or by Service. */
export function validateClientConfig(
  config: Pick<AdmissionregistrationV1WebhookClientConfig, 'url' | 'service'> | undefined,
  path: string,
): FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')];
  }
  return service ? validateService(service, `${path}.service`) : validateUrl(url ?? '', `${path}.url`);
}

function validateUrl(text: string, path: string): FieldError[] {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase() ?? '';
  const host = /^[^:/?#]+:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(text)?.[1] ?? '';
  const user = /^[^:/?#]+:\/\/([^/?#@]*)@/.exec(text)?.[1];
  const [beforeFragment = '', fragment] = text.split('#', 2);
  const query = beforeFragment.split('?', 2)[1];
  const errors: FieldError[] = [];
  if (scheme !== 'https') errors.push(invalid(path, scheme, `'https' is the only allowed URL scheme${urlForm}`));
  if (host === '') errors.push(invalid(path, host, `host must be specified${urlForm}`));
  else if (!URL.canParse(text)) errors.push(required(path, `url must be a valid URL: invalid host${urlForm}`));
  if (user !== undefined) errors.push(invalid(path, user, 'user information is not permitted in the URL'));
  if (fragment) errors.push(invalid(path, fragment, 'fragments are not permitted in the URL'));
  if (query) errors.push(invalid(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

function validateService(service: AdmissionregistrationV1ServiceReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(`${path}.name`));
  if (!service.namespace) errors.push(required(`${path}.namespace`));
  const problems = isPortNumber(service.port ?? 443);
  if (problems.length > 0)
    errors.push(invalid(`${path}.port`, service.port, `port is not valid: ${problems.join(', ')}`));
  return [...errors, ...validateServicePath(service.path ?? '', `${path}.path`)];
}

function validateServicePath(text: string, path: string): FieldError[] {
  if (text === '' || text === '/') return [];
  if (text === '//') return [invalid(path, text, 'segment[0] may not be empty')];
  const errors: FieldError[] = [];
  if (!text.startsWith('/')) errors.push(invalid(path, text, "must start with a '/'"));
  const steps = text.slice(1).replace(/\/$/, '').split('/');
  for (const [index, step] of steps.entries()) {
    const problems = step === '' ? ['may not be empty'] : isDns1123Subdomain(step);
    for (const problem of problems) {
      errors.push(invalid(path, text, `segment[${index}]${step === '' ? ' ' : ': '}${problem}`));
    }
  }
  return errors;
}
