import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../../validation/names.js';
import { CelError } from '../errors.js';
import { constant, define, type Cost, type Overload } from '../functions.js';
import { formatDuration, formatTimestamp, parseTimestamp } from '../time-values.js';
import {
  CelDuration,
  CelList,
  CelMap,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  noneValue,
  numberOf,
  sizeOf,
  typeNameOf,
  ValueList,
  type CelValue,
} from '../values.js';
import { formatDouble } from './standard.js';

const maxLength = 10_000_000;

/** `%s` and friends, as the original's string.format. */
function format(template: string, args: CelList): string {
  let next = 0;
  let length = 0;
  const result = template.replace(
    /%(%|(?:\.(\d{1,4}))?([a-zA-Z])?)/g,
    (clause, rest: string, precision?: string, verb?: string) => {
      if (rest === '%') return '%';
      if (verb === undefined)
        throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${clause}"`);
      const value = args.at(next);
      if (value === undefined) throw new CelError(`index ${next} out of range`);
      next += 1;
      const text = formatOne(verb, value, precision === undefined ? 6 : Number(precision));
      length += text.length;
      if (length > maxLength) throw new CelError('the result of format() is too long');
      return text;
    },
  );
  return result;
}

function formatOne(verb: string, value: CelValue, precision: number): string {
  switch (verb) {
    case 's':
      return display(value, 0);
    case 'd':
    case 'b':
    case 'o':
      return formatInteger(verb, value);
    case 'x':
    case 'X':
      return verb === 'x' ? hexadecimal(value) : hexadecimal(value).toUpperCase();
    case 'f':
    case 'e': {
      const number = numberOf(value);
      if (number === undefined) throw clauseError(verb, value, 'double, int or uint');
      const text =
        verb === 'f'
          ? Number(number).toFixed(Math.min(precision, 100))
          : Number(number).toExponential(Math.min(precision, 100));
      return text.replace(/e([-+])(\d)$/, 'e$10$2');
    }
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

const clauseError = (verb: string, value: CelValue, wanted: string): CelError =>
  new CelError(`error during formatting: %${verb} takes ${wanted}, was given ${typeNameOf(value)}`);

function formatInteger(verb: 'd' | 'b' | 'o', value: CelValue): string {
  if (verb === 'b' && typeof value === 'boolean') return value ? '1' : '0';
  if (verb === 'd' && typeof value === 'number' && !Number.isFinite(value)) return formatDouble(value);
  const number = numberOf(value);
  if (typeof number !== 'bigint') throw clauseError(verb, value, 'int or uint');
  return number.toString(verb === 'd' ? 10 : verb === 'b' ? 2 : 8);
}

function hexadecimal(value: CelValue): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const number = numberOf(value);
  if (typeof number !== 'bigint') throw clauseError('x', value, 'int, uint, string or bytes');
  return number.toString(16);
}

function display(value: CelValue, depth: number): string {
  if (depth > 32) throw new CelError('the value is nested too deeply for format()');
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatDouble(value);
    case 'boolean':
    case 'bigint':
      return String(value);
  }
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelTypeValue) return value.name;
  if (value instanceof CelList) return `[${[...value].map((item) => display(item, depth + 1)).join(', ')}]`;
  if (value instanceof CelMap) {
    const entries = value.keys().map((key) => [display(key, depth + 1), display(value.get(key) ?? null, depth + 1)]);
    return `{${entries
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
      .map(([key, text]) => `${key}: ${text}`)
      .join(', ')}}`;
  }
  throw clauseError('s', value, 'a simple value');
}

/** Every value below the arguments is printed. */
const formatCost: Cost = ([template, args]) => 1 + sizeOf(template) / 5 + weight(args ?? null, 0);

function weight(value: CelValue, depth: number): number {
  if (typeof value === 'string') return 1 + value.length / 10;
  if (depth > 32) return 1;
  if (value instanceof CelList) return [...value].reduce<number>((sum, item) => sum + weight(item, depth + 1), 1);
  if (value instanceof CelMap) {
    return value.keys().reduce<number>((sum, key) => sum + 1 + weight(value.get(key) ?? null, depth + 1), 1);
  }
  return 1;
}

class NamedFormat extends CelOpaque {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly check: (text: string) => readonly string[];

  constructor(name: string, check: (text: string) => readonly string[]) {
    super();
    this.name = name;
    this.check = check;
  }

  equals(other: CelValue): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

/** Names that end in a dash may be completed by the server. */
const asPrefix =
  (check: (text: string) => readonly string[]) =>
  (text: string): readonly string[] =>
    check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const problem =
  (isGood: (text: string) => boolean, message: string) =>
  (text: string): readonly string[] =>
    isGood(text) ? [] : [message];

function isUri(text: string): boolean {
  return URL.canParse(text);
}

const namedFormats: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: asPrefix(isDns1123Label),
  dns1123SubdomainPrefix: asPrefix(isDns1123Subdomain),
  dns1035LabelPrefix: asPrefix(isDns1035Label),
  labelValue: isLabelValue,
  uri: problem(isUri, 'invalid URI'),
  uuid: problem(
    (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
    'does not match the UUID format',
  ),
  byte: problem(
    (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
    'invalid base64',
  ),
  date: problem((text) => /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(text) !== undefined, 'invalid date'),
  datetime: problem((text) => text.includes('T') && parseTimestamp(text) !== undefined, 'invalid datetime'),
};

const named = (name: string): NamedFormat | undefined => {
  const check = Object.hasOwn(namedFormats, name) ? namedFormats[name] : undefined;
  return check && new NamedFormat(name, check);
};

export const formatFunctions: readonly Overload[] = [
  define('string.format(list<dyn>) -> string', format, formatCost),
  define('::format.named(string) -> optional<format>', (name: string) => {
    const found = named(name);
    return found ? new CelOptional(found) : noneValue;
  }),
  ...Object.keys(namedFormats).map((name) =>
    define(`::format.${name}() -> format`, () => named(name) ?? null, constant),
  ),
  define('format.validate(string) -> optional<list<string>>', (found: NamedFormat, text: string) => {
    const problems = found.check(text);
    return problems.length === 0 ? noneValue : new CelOptional(new ValueList(problems));
  }),
];
