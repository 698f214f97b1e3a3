import type { ConfigMap, Secret } from '../../shared/api/generated/types.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, invalidEach, required, tooLong, type FieldError } from './field-error.js';
import { isConfigMapKey } from './names.js';
import { validateImmutable } from './object-meta.js';

/** Of all values of a ConfigMap or Secret together. */
const MAX_SIZE_BYTES = 1024 * 1024;
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

type Values = Readonly<Record<string, string>>;

const validateKeys = (values: Values, path: string): FieldError[] =>
  Object.keys(values).flatMap((key) => invalidEach(`${path}[${key}]`, key, isConfigMapKey(key)));

/** Bytes behind a text in base64, without decoding it. */
function base64Size(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}

const sum = (values: Values, size: (value: string) => number): number =>
  Object.values(values).reduce((total, value) => total + size(value), 0);

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors = [...validateKeys(data, 'data'), ...validateKeys(binaryData, 'binaryData')];
  for (const key of Object.keys(data))
    if (Object.hasOwn(binaryData, key))
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  append(errors, validateBase64(binaryData, 'binaryData'));
  const size = sum(data, (value) => Buffer.byteLength(value)) + sum(binaryData, base64Size);
  return size > MAX_SIZE_BYTES ? [...errors, tooLong('[]', MAX_SIZE_BYTES)] : errors;
}

/** What is no base64 would be lost silently when it is decoded. Line breaks are allowed, as in Go. */
function validateBase64(values: Values, path: string): FieldError[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const plain = value.replace(/[\r\n]/g, '');
    const isGood = plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain);
    return isGood ? [] : [invalid(`${path}[${key}]`, '<contents redacted>', 'illegal base64 data')];
  });
}

interface Frozen {
  readonly immutable?: boolean;
  readonly data?: Values;
  readonly binaryData?: Values;
}

/** An object that has been made immutable stays as it is, for good. */
function validateFrozen(object: Frozen, old: Frozen, fields: readonly ('data' | 'binaryData')[]): FieldError[] {
  if (old.immutable !== true) return [];
  const text = 'field is immutable when `immutable` is set';
  const errors = object.immutable === true ? [] : [forbidden('immutable', text)];
  for (const field of fields) if (!equal(object[field], old[field])) errors.push(forbidden(field, text));
  return errors;
}

export function validateConfigMapUpdate(configMap: ConfigMap, old: ConfigMap): FieldError[] {
  return [...validateFrozen(configMap, old, ['data', 'binaryData']), ...validateConfigMap(configMap)];
}

export function validateSecret(secret: Secret): FieldError[] {
  const { data = {} } = secret;
  const errors = [...validateKeys(data, 'data'), ...validateBase64(data, 'data')];
  if (sum(data, base64Size) > MAX_SIZE_BYTES) errors.push(tooLong('data', MAX_SIZE_BYTES));
  return [...errors, ...validateSecretType(secret, data)];
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  return [
    ...validateImmutable(secret.type, old.type, 'type'),
    ...validateFrozen(secret, old, ['data']),
    ...validateSecret(secret),
  ];
}

function validateSecretType({ type, metadata }: Secret, data: Values): FieldError[] {
  const need = (...keys: string[]): FieldError[] =>
    keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(`data[${key}]`));
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return metadata.annotations?.[SERVICE_ACCOUNT_NAME]
        ? []
        : [required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)];
    case 'kubernetes.io/dockercfg':
      return validateJson(data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return validateJson(data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      return Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password') ? [] : need('username', 'password');
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return need('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function validateJson(data: Values, key: string): FieldError[] {
  const value = data[key];
  if (value === undefined) return [required(`data[${key}]`)];
  const text = Buffer.from(value, 'base64').toString();
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return [];
  } catch {
    // The parser's message would quote the secret: it is told below without it.
  }
  return [invalid(`data[${key}]`, '<secret contents redacted>', 'must be a JSON object')];
}
