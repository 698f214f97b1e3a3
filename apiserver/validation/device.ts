import type {
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
  OpaqueDeviceConfiguration,
} from '../../shared/api/generated/types.js';
import { validateDeviceExpression } from './device-expression.js';
import {
  append,
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from './field-error.js';
import { validateLabelName } from './label-selector.js';
import { isDns1123Label, isDns1123Subdomain, isLabelValue, regexMessage } from './names.js';
import { repeats } from './repeats.js';
import { validateCsiDriverName } from './volume-source.js';

const MAX_ID = 32;
const MAX_POOL_NAME = 253;
const MAX_SELECTORS = 32;
const MAX_EXPRESSION = 10 * 1024;
const MAX_PARAMETERS = 10 * 1024;
const MAX_BINDING_CONDITIONS = 4;
const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';

/** Names of drivers follow the rules of those of CSI. */
export const validateDriverName = validateCsiDriverName;

export const validateLabel = (path: string, name: string | undefined): FieldError[] =>
  invalidEach(path, name ?? '', isDns1123Label(name));

/** A list of at most so many; one that is longer is not looked at any further. */
export function validateList<T>(
  items: readonly T[] | undefined,
  maximum: number,
  path: string,
  validate: (item: T, path: string) => FieldError[],
): FieldError[] {
  if (!items) return [];
  if (items.length > maximum) return [tooMany(path, items.length, maximum)];
  return items.flatMap((item, index) => validate(item, `${path}[${index}]`));
}

/** As {@link validateList}, for lists in which each key may stand once. */
export function validateSet<T>(
  items: readonly T[] | undefined,
  maximum: number,
  path: string,
  validate: (item: T, path: string) => FieldError[],
  keyOf: (item: T) => string,
): FieldError[] {
  const errors = validateList(items, maximum, path, validate);
  if (!items || items.length > maximum) return errors;
  const keys = items.map(keyOf);
  for (const index of repeats(keys)) errors.push(duplicate(`${path}[${index}]`, keys[index]));
  return errors;
}

export function validatePoolName(path: string, name: string | undefined): FieldError[] {
  if (!name) return [required(path)];
  const errors = name.length > MAX_POOL_NAME ? [tooLong(path, MAX_POOL_NAME)] : [];
  if (errors.length > 0) return errors;
  return name.split('/').flatMap((part) => invalidEach(path, part, isDns1123Subdomain(part)));
}

export function validateDeviceClassName(path: string, name: string | undefined): FieldError[] {
  return name ? invalidEach(path, name, isDns1123Subdomain(name)) : [required(path)];
}

export function validateSelectors(selectors: readonly DeviceSelector[] | undefined, path: string): FieldError[] {
  return validateList(selectors, MAX_SELECTORS, path, ({ cel }, at) => {
    if (!cel) return [required(`${at}.cel`)];
    const expression = cel.expression ?? '';
    if (Buffer.byteLength(expression) > MAX_EXPRESSION) return [tooLong(`${at}.cel.expression`, MAX_EXPRESSION)];
    return validateDeviceExpression(expression, `${at}.cel.expression`);
  });
}

/** Parameters that only the driver understands. */
export function validateConfiguration(
  { opaque }: { readonly opaque?: OpaqueDeviceConfiguration },
  path: string,
): FieldError[] {
  if (!opaque) return [required(`${path}.opaque`)];
  return [
    ...validateDriverName(`${path}.opaque.driver`, opaque.driver),
    ...validateObject(opaque.parameters, `${path}.opaque.parameters`, MAX_PARAMETERS),
  ];
}

/** Any JSON object of a bounded size. */
export function validateObject(value: unknown, path: string, maxBytes: number): FieldError[] {
  if (value === undefined || value === null) return [required(path)];
  if (Buffer.byteLength(JSON.stringify(value)) > maxBytes) return [tooLong(path, maxBytes)];
  const isObject = typeof value === 'object' && !Array.isArray(value);
  return isObject ? [] : [invalid(path, '<value omitted>', 'must be a valid JSON object')];
}

export function validateDeviceTaint({ key, value, effect }: DeviceTaint, path: string): FieldError[] {
  const errors = validateLabelName(key ?? '', `${path}.key`);
  if (value) append(errors, invalidEach(`${path}.value`, value, isLabelValue(value)));
  if (!effect) errors.push(required(`${path}.effect`));
  else if (!EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
  return errors;
}

export function validateDeviceToleration(toleration: DeviceToleration, path: string): FieldError[] {
  const { key, operator, value = '', effect } = toleration;
  const errors = key ? validateLabelName(key, `${path}.key`) : [];
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') append(errors, invalidEach(`${path}.value`, value, isLabelValue(value)));
  else if (!operator) errors.push(required(`${path}.operator`));
  else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
  return errors;
}

/** `name` or `domain/name`: attributes and capacities of devices. */
export function validateQualifiedName(path: string, name: string): FieldError[] {
  const parts = name.split('/', 3);
  const [first = '', second = ''] = parts;
  if (parts.length === 1) return validateIdentifier(path, first);
  if (parts.length > 2) return [invalid(path, name, 'must not contain more than one slash')];
  return [
    ...(first === '' ? [invalid(path, '', 'the domain must not be empty')] : validateDriverName(path, first)),
    ...(second === '' ? [invalid(path, '', 'the name must not be empty')] : validateIdentifier(path, second)),
  ];
}

export function validateFullyQualifiedName(path: string, name: string): FieldError[] {
  const errors = validateQualifiedName(path, name);
  if (!name.includes('/'))
    errors.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'));
  return errors;
}

function validateIdentifier(path: string, id: string): FieldError[] {
  const errors = id.length > MAX_ID ? [tooLong(path, MAX_ID)] : [];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(id)) {
    const rule =
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
    errors.push(invalid(path, id, regexMessage(rule, C_IDENTIFIER, 'my_name', 'MY_NAME', 'MyName')));
  }
  return errors;
}

interface Binding {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** Conditions that make a device ready for its pod, and those that say it never will be: both or none. */
export function validateBindingConditions(device: Binding, path: string): FieldError[] {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = device;
  const at = `${path}.bindingConditions`;
  const failing = `${path}.bindingFailureConditions`;
  const isName = (name: string, where: string): FieldError[] => validateLabelName(name, where);
  const errors = validateSet(good, MAX_BINDING_CONDITIONS, at, isName, String);
  append(errors, validateSet(bad, MAX_BINDING_CONDITIONS, failing, isName, String));
  const known = new Set(good);
  for (const [index, name] of bad.entries())
    if (known.has(name))
      errors.push(
        invalid(`${failing}[${index}]`, name, 'bindingFailureConditions must not overlap with bindingConditions'),
      );
  if (good.length === 0 && bad.length > 0)
    errors.push(invalid(at, good, 'bindingConditions are required to use bindingFailureConditions'));
  if (bad.length === 0 && good.length > 0)
    errors.push(invalid(failing, bad, 'bindingFailureConditions are required to use bindingConditions'));
  return errors;
}
