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
import type { CelType } from '../types.js';
import { formatDouble } from './standard.js';

const maxLength = 10_000_000;

/** `%s` and friends, as the original's string.format. */
function format(template: string, args: CelList): string {
  let next = 0;
  let length = 0;
  const result = template.replace(
    clausePattern,
    (_clause, rest: string, dot: string | undefined, precision: string | undefined, verb: string) => {
      if (rest === '%') return '%';
      checkClause(dot, precision, verb);
      const value = args.at(next);
      if (value === undefined) throw new CelError(`index ${next} out of range`);
      next += 1;
      const text = formatOne(verb, value, precision ? Math.min(Number(precision), maxPrecision) : 6);
      length += text.length;
      if (length > maxLength) throw new CelError('the result of format() is too long');
      return text;
    },
  );
  return result;
}

const clausePattern = /%(%|(\.(\d*))?(.?))/gsu;

/** The verbs of a template up to the first clause that is none, and what is wrong with that. */
export function clausesOf(template: string): { readonly clauses: readonly string[]; readonly problem?: string } {
  const clauses: string[] = [];
  for (const [, rest, dot, precision, verb = ''] of template.matchAll(clausePattern)) {
    if (rest === '%') continue;
    try {
      checkClause(dot, precision, verb);
    } catch (error) {
      return { clauses, problem: error instanceof Error ? error.message : String(error) };
    }
    clauses.push(verb);
  }
  return { clauses };
}

/** The rule that a value of a type breaks in a clause; undefined: none. */
export function clauseRule(verb: string, kind: CelType['kind']): string | undefined {
  const { kinds, rule } = clauseRules[verb] ?? { kinds: undefined, rule: '' };
  return kinds === undefined ? undefined : kinds.has(kind) ? undefined : rule;
}

const maxPrecision = 100;

function checkClause(dot: string | undefined, precision: string | undefined, verb: string): void {
  const wrong = (what: string): CelError => new CelError(`could not parse formatting clause: ${what}`);
  if (dot !== undefined && precision === '') {
    const reason = 'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax';
    throw wrong(`error while parsing precision: ${reason}`);
  }
  if (verb === '') throw new CelError('unexpected end of string');
  if (!/[sdxXobfe]/.test(verb)) throw wrong(`unrecognized formatting clause "${verb}"`);
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
    case 'e':
      if (typeof value !== 'number') throw clauseError(doubleRules[verb], value);
      return verb === 'f' ? fixed(value, precision) : scientific(value);
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

const clauseError = (rule: string, value: CelValue): CelError =>
  new CelError(`error during formatting: ${rule}, was given ${typeNameOf(value)}`);

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const special = (value: number): string | undefined =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? undefined : value > 0 ? '∞' : '-∞';

/** For English readers: the nearest, of two as near the even one (toFixed rounds those up), thousands apart. */
function fixed(value: number, digits: number): string {
  const text = special(value);
  if (text !== undefined) return text;
  const size = Math.abs(value);
  const exact = size.toFixed(maxPrecision);
  const kept = exact.slice(0, exact.length - maxPrecision + digits).replace(/\.$/, '');
  const isTie = digits < maxPrecision && /^50*$/.test(exact.slice(exact.length - maxPrecision + digits));
  const [whole = '', fraction] = (isTie && /[02468]$/.test(kept) ? kept : size.toFixed(digits)).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${value < 0 || Object.is(value, -0) ? '-' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** As the original prints it for English readers: `1.5×10⁰³`. */
function scientific(value: number): string {
  const text = special(value);
  if (text !== undefined) return text;
  const [digits = '', exponent = ''] = value.toExponential(6).split('e');
  const power = exponent
    .slice(1)
    .padStart(2, '0')
    .replace(/\d/g, (digit) => superscripts.charAt(Number(digit)));
  return `${digits}×10${exponent.startsWith('-') ? '⁻' : ''}${power}`;
}

const integerRules = {
  d: 'decimal clause can only be used on integers',
  b: 'only integers and bools can be formatted as binary',
  o: 'octal clause can only be used on integers',
};
const hexRule = 'only integers, byte buffers, and strings can be formatted as hex';
const doubleRules = {
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
};
const kindsOf = (...kinds: readonly CelType['kind'][]): ReadonlySet<CelType['kind']> => new Set(kinds);
const hex = { kinds: kindsOf('int', 'uint', 'string', 'bytes'), rule: hexRule };

function formatInteger(verb: 'd' | 'b' | 'o', value: CelValue): string {
  if (verb === 'b' && typeof value === 'boolean') return value ? '1' : '0';
  if (verb === 'd' && typeof value === 'number' && !Number.isFinite(value)) return formatDouble(value);
  const number = numberOf(value);
  if (typeof number !== 'bigint') throw clauseError(integerRules[verb], value);
  return number.toString(verb === 'd' ? 10 : verb === 'b' ? 2 : 8);
}

function hexadecimal(value: CelValue): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const number = numberOf(value);
  if (typeof number !== 'bigint') throw clauseError(hexRule, value);
  return number.toString(16);
}

const textRule =
  'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps';

function display(value: CelValue, depth: number): string {
  if (depth > 32) throw new CelError('the value is nested too deeply for format()');
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return depth > 0 ? JSON.stringify(value) : value;
    case 'number':
      return depth > 0 ? fixed(value, 6) : formatDouble(value);
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
      .map(([key, text]) => `${key}:${text}`)
      .join(', ')}}`;
  }
  throw clauseError(textRule, value);
}

const simpleKinds = [
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'null',
  'timestamp',
  'duration',
  'type',
] as const;
const clauseRules: Readonly<Record<string, { readonly kinds: ReadonlySet<CelType['kind']>; readonly rule: string }>> = {
  s: { kinds: kindsOf(...simpleKinds, 'list', 'map', 'object'), rule: textRule },
  d: { kinds: kindsOf('int', 'uint'), rule: integerRules.d },
  b: { kinds: kindsOf('int', 'uint', 'bool'), rule: integerRules.b },
  o: { kinds: kindsOf('int', 'uint'), rule: integerRules.o },
  x: hex,
  X: hex,
  f: { kinds: kindsOf('double'), rule: doubleRules.f },
  e: { kinds: kindsOf('double'), rule: doubleRules.e },
};

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
