import type { LabelSelector } from './generated/types.js';

export type SelectorOperator = 'in' | 'notin' | 'exists' | '!' | '=' | '!=' | 'gt' | 'lt';

/** One condition on one label; the conditions of a selector all hold. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** One for `=`, `!=`, `gt`, `lt`; none for `exists` and `!`; sorted and distinct. */
  readonly values: readonly string[];
}

/** A label selector ready to match. Without requirements it matches everything. */
export interface Selector {
  readonly requirements: readonly Requirement[];
  /** Matches no object at all: what an absent LabelSelector means. */
  readonly isNothing?: true;
}

/** The text or the LabelSelector is not a selector. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export const MATCH_NOTHING: Selector = Object.freeze({ requirements: [], isNothing: true });

const OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/**
 * The selector that a LabelSelector of an object means: absent selects nothing, empty everything.
 * @throws SelectorError for an operator that does not exist, or values that do not suit it.
 */
export function selectorOf(given: LabelSelector | undefined): Selector {
  if (given === undefined || given === null) return MATCH_NOTHING;
  const requirements: Requirement[] = Object.entries(given.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key, operator, values } of given.matchExpressions ?? []) {
    const known = OPERATORS[operator];
    if (known === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    requirements.push(requirement(key, known, values ?? []));
  }
  return { requirements: requirements.sort(byKey) };
}

/** The selector of a plain map, as in Service.spec.selector: an empty map selects everything. */
export function selectorOfMap(labels: Readonly<Record<string, string>> | undefined): Selector {
  const requirements = Object.entries(labels ?? {}).map(([key, value]): Requirement => ({
    key,
    operator: '=',
    values: [value],
  }));
  return { requirements: requirements.sort(byKey) };
}

/** A requirement with its values checked, sorted and distinct. @throws SelectorError */
export function requirement(key: string, operator: SelectorOperator, values: readonly string[]): Requirement {
  const wanted = operator === 'exists' || operator === '!' ? 0 : operator === 'in' || operator === 'notin' ? -1 : 1;
  if (wanted === -1 && values.length === 0)
    throw new SelectorError(`values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty`);
  if (wanted === 0 && values.length > 0)
    throw new SelectorError('values: Invalid value: values set must be empty for exists and does not exist');
  if (wanted === 1 && values.length !== 1)
    throw new SelectorError('values: Invalid value: exactly one value is needed');
  if ((operator === 'gt' || operator === 'lt') && !/^[-+]?\d{1,18}$/.test(values[0] ?? ''))
    throw new SelectorError(
      `values[0]: Invalid value: "${values[0]}": for 'Gt', 'Lt' operators, the value must be an integer`,
    );
  return { key, operator, values: values.length > 1 ? [...new Set(values)].sort() : values };
}

const byKey = (a: Requirement, b: Requirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

export function matchesSelector(selector: Selector, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (selector.isNothing) return false;
  return selector.requirements.every((one) => matchesRequirement(one, labels ?? {}));
}

function matchesRequirement(one: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, one.key) ? labels[one.key] : undefined;
  switch (one.operator) {
    case 'in':
    case '=':
      return value !== undefined && one.values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !one.values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default:
      return compares(value, one.operator, one.values[0] ?? '');
  }
}

function compares(value: string | undefined, operator: 'gt' | 'lt', bound: string): boolean {
  if (value === undefined || !/^[-+]?\d{1,18}$/.test(value)) return false;
  return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

/** The text form, as in `status.selector` of a Scale and in `-l`; nothing and everything are both the empty text. */
export function formatSelector(selector: Selector): string {
  return selector.requirements.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: Requirement): string {
  const first = values[0] ?? '';
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'gt':
      return `${key}>${first}`;
    case 'lt':
      return `${key}<${first}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    default:
      return `${key}${operator}${first}`;
  }
}

/** The text form of a LabelSelector as columns and `describe` show it; `<none>` where it is absent or empty. */
export function formatLabelSelector(given: LabelSelector | undefined): string {
  return formatSelector(selectorOf(given)) || '<none>';
}
