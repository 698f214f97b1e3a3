import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Program } from '../cel/environment.js';
import { formatDuration, parseDuration } from '../cel/time-values.js';
import { fieldPath, onlyFields, record, records, text, type Fields } from '../decode/document-fields.js';
import {
  aggregateMessage,
  append,
  duplicate,
  invalid,
  notSupported,
  required,
  tooMany,
  type FieldError,
} from '../validation/field-error.js';
import { isDns1123Subdomain } from '../validation/names.js';
import { authorizerTypes, type AuthorizerType } from './authorization-chain.js';
import { ConditionCompiler } from './review-conditions.js';

/** How a webhook of an AuthorizationConfiguration is asked. */
export interface WebhookSettings {
  readonly kubeconfigFile: string;
  readonly timeoutMs: number;
  /** 0: not remembered. */
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  readonly reviewVersion: 'v1' | 'v1beta1';
  readonly deniesOnFailure: boolean;
  readonly conditions: readonly Program[];
}

/** One of `authorizers`. */
export interface AuthorizerSettings {
  readonly type: AuthorizerType;
  readonly name: string;
  readonly webhook?: WebhookSettings;
}

const group = 'apiserver.config.k8s.io';
const versions = ['v1', 'v1beta1', 'v1alpha1'];
const maxConditions = 64;
const maxTimeoutMs = 30_000;
const webhookFields = [
  'authorizedTTL',
  'cacheAuthorizedRequests',
  'unauthorizedTTL',
  'cacheUnauthorizedRequests',
  'timeout',
  'subjectAccessReviewVersion',
  'matchConditionSubjectAccessReviewVersion',
  'failurePolicy',
  'connectionInfo',
  'matchConditions',
];

/**
 * Reads and checks apiserver.config.k8s.io AuthorizationConfiguration; throws an Error with all that is wrong, in the
 * original's words.
 */
export function readAuthorizationConfiguration(document: unknown): AuthorizerSettings[] {
  const root = record(document, 'the authorization configuration');
  const isKnown = versions.some((version) => root['apiVersion'] === `${group}/${version}`);
  if (!isKnown || root['kind'] !== 'AuthorizationConfiguration') {
    throw new Error(
      `the authorization configuration is not of apiVersion ${group}/v1 and kind AuthorizationConfiguration`,
    );
  }
  onlyFields(root, ['apiVersion', 'kind', 'authorizers'], '');
  const reader = new AuthorizerReader();
  const given = records(root, 'authorizers', '');
  if (given.length === 0)
    reader.errors.push(required('authorizers', 'at least one authorization mode must be defined'));
  const authorizers = given.flatMap(({ fields, path }) => reader.read(fields, path) ?? []);
  if (reader.errors.length > 0) throw new Error(aggregateMessage(reader.errors));
  return authorizers;
}

class AuthorizerReader {
  readonly errors: FieldError[] = [];
  readonly #compiler = new ConditionCompiler();
  readonly #types = new Set<string>();
  readonly #names = new Set<string>();

  read(fields: Fields, path: string): AuthorizerSettings | undefined {
    onlyFields(fields, ['type', 'name', 'webhook'], path);
    const type = this.#type(text(fields, 'type', path), `${path}.type`);
    if (type === undefined) return undefined;
    const name = text(fields, 'name', path);
    this.#name(name, `${path}.name`);
    const webhook = fields['webhook'] ?? undefined;
    if (type !== 'Webhook') {
      if (webhook !== undefined)
        this.errors.push(invalid(`${path}.webhook`, 'non-null', 'may only be specified when type=Webhook'));
      return { type, name };
    }
    if (webhook === undefined) {
      this.errors.push(required(`${path}.webhook`, 'required when type=Webhook'));
      return undefined;
    }
    // The original names the fields of a webhook as if they were the authorizer's own.
    return { type, name, webhook: this.#webhook(record(webhook, `${path}.webhook`), path) };
  }

  #type(type: string, path: string): AuthorizerType | undefined {
    const known = authorizerTypes.find((one) => one === type);
    if (type === '') this.errors.push(required(path));
    else if (!known) this.errors.push(notSupported(path, type, authorizerTypes));
    else if (this.#types.has(type) && type !== 'Webhook') this.errors.push(duplicate(path, type));
    else {
      this.#types.add(type);
      return known;
    }
    return undefined;
  }

  #name(name: string, path: string): void {
    const problems = isDns1123Subdomain(name);
    if (name === '') this.errors.push(required(path));
    else if (this.#names.has(name)) this.errors.push(duplicate(path, name));
    else if (problems.length > 0)
      this.errors.push(invalid(path, name, `authorizer name is invalid: ${problems.join(', ')}`));
    this.#names.add(name);
  }

  #webhook(fields: Fields, path: string): WebhookSettings {
    onlyFields(fields, webhookFields, `${path}.webhook`);
    const timeoutMs = this.#duration(fields, 'timeout', path, { maxMs: maxTimeoutMs });
    const authorizedMs = this.#duration(fields, 'authorizedTTL', path, { byDefaultMs: 300_000 });
    const unauthorizedMs = this.#duration(fields, 'unauthorizedTTL', path, { byDefaultMs: 30_000 });
    const reviewVersion = this.#choice(fields, 'subjectAccessReviewVersion', path, ['v1', 'v1beta1']);
    const conditions = this.#conditions(fields, path);
    const failurePolicy = this.#choice(fields, 'failurePolicy', path, ['NoOpinion', 'Deny']);
    return {
      kubeconfigFile: this.#connection(fields, path),
      timeoutMs,
      authorizedTtlMs: isOn(fields, 'cacheAuthorizedRequests', path) ? authorizedMs : 0,
      unauthorizedTtlMs: isOn(fields, 'cacheUnauthorizedRequests', path) ? unauthorizedMs : 0,
      reviewVersion: reviewVersion === 'v1beta1' ? 'v1beta1' : 'v1',
      deniesOnFailure: failurePolicy === 'Deny',
      conditions,
    };
  }

  #duration(
    fields: Fields,
    field: string,
    path: string,
    { byDefaultMs = 0, maxMs }: { readonly byDefaultMs?: number; readonly maxMs?: number },
  ): number {
    const given = text(fields, field, path);
    const duration = given === '' ? undefined : parseDuration(given);
    if (given !== '' && !duration) throw new Error(`${fieldPath(path, field)}: time: invalid duration "${given}"`);
    const ms = duration ? Number(duration.nanos) / 1e6 : byDefaultMs;
    const limits = maxMs === undefined ? '' : ` and <= ${maxMs / 1000}s`;
    if (ms === 0) this.errors.push(required(`${path}.${field}`));
    else if (ms < 0 || (maxMs !== undefined && ms > maxMs)) {
      const shown = duration ? formatDuration(duration) : given;
      this.errors.push(invalid(`${path}.${field}`, shown, `must be > 0s${limits}`));
    }
    return ms;
  }

  #choice(fields: Fields, field: string, path: string, choices: readonly string[]): string {
    const value = text(fields, field, path);
    if (value === '') this.errors.push(required(`${path}.${field}`));
    else if (!choices.includes(value)) this.errors.push(notSupported(`${path}.${field}`, value, choices));
    return value;
  }

  #connection(fields: Fields, path: string): string {
    const connection = record(fields['connectionInfo'] ?? {}, `${path}.connectionInfo`);
    const place = `${path}.connectionInfo`;
    onlyFields(connection, ['type', 'kubeConfigFile'], `${path}.webhook.connectionInfo`);
    const file = text(connection, 'kubeConfigFile', place);
    // This server is no pod: InClusterConfig would lead nowhere.
    const type = this.#choice(connection, 'type', place, ['KubeConfigFile']);
    if (type === 'KubeConfigFile') append(this.errors, checkFile(file, `${place}.kubeConfigFile`));
    return file;
  }

  #conditions(fields: Fields, path: string): Program[] {
    const given = records(fields, 'matchConditions', path);
    const version = text(fields, 'matchConditionSubjectAccessReviewVersion', path);
    const versionPath = `${path}.matchConditionSubjectAccessReviewVersion`;
    if (version === '' && given.length > 0)
      this.errors.push(required(versionPath, 'required if match conditions are specified'));
    else if (version !== '' && version !== 'v1') this.errors.push(notSupported(versionPath, version, ['v1']));
    if (given.length > maxConditions) {
      this.errors.push(tooMany(`${path}.matchConditions`, given.length, maxConditions));
      return [];
    }
    const seen = new Set<string>();
    return given.flatMap(({ fields: condition, path: at }) => {
      onlyFields(condition, ['expression'], at);
      const expression = text(condition, 'expression', at);
      const repeated = seen.has(expression);
      seen.add(expression);
      return this.#condition(expression, `${at}.expression`, repeated) ?? [];
    });
  }

  #condition(expression: string, path: string, repeated: boolean): Program | undefined {
    if (expression.trim() === '') this.errors.push(required(path));
    else if (repeated) this.errors.push(duplicate(path, expression));
    else {
      const program = this.#compiler.compile(expression);
      if (typeof program !== 'string') return program;
      this.errors.push(invalid(path, expression, program));
    }
    return undefined;
  }
}

/** On unless it says otherwise. */
function isOn(fields: Fields, field: string, path: string): boolean {
  const value = fields[field] ?? true;
  if (typeof value !== 'boolean') throw new Error(`${fieldPath(path, field)}: must be true or false`);
  return value;
}

function checkFile(file: string, path: string): FieldError[] {
  if (file === '') return [required(path)];
  if (!isAbsolute(file)) return [invalid(path, file, 'must be an absolute path')];
  try {
    return statSync(file).isFile() ? [] : [invalid(path, file, 'must be a regular file')];
  } catch (error) {
    return [invalid(path, file, `error loading file: ${error instanceof Error ? error.message : String(error)}`)];
  }
}
