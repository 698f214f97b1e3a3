import { equalJson, getField, isObject } from '../../shared/api/json.js';
import { Budget, perCallCostLimit, requestCostLimit } from '../cel/budget.js';
import { CelEnvironment, kubernetesFunctions, ResultTypeError, type Program } from '../cel/environment.js';
import { CelBudgetError, CelCompileError, CelError } from '../cel/errors.js';
import { sizeBound } from '../cel/cost-estimate.js';
import { fromJson } from '../cel/json-values.js';
import { optionalType, type CelType } from '../cel/types.js';
import { CelOptional, noneValue, type CelValue } from '../cel/values.js';
import {
  duplicate,
  forbidden,
  invalid,
  required,
  type FieldError,
  type FieldErrorType,
} from '../validation/field-error.js';
import { celTypeOf } from './cel-type.js';
import { correlate } from './ratcheting.js';
import { itemsOf, valuesOf, type Schema, type ValidationRule } from './schema.js';

/** The original's limits of what a rule, and all rules of a definition, may cost by estimate. */
const ruleCostLimit = 10_000_000;
const definitionCostLimit = 100_000_000;

/** What a rule is when it runs. */
interface Programs {
  readonly program: Program;
  readonly message: Program | undefined;
}

/** One rule. */
interface CompiledRule {
  readonly rule: GivenRule;
  readonly usesOld: boolean;
  /** Made when it is first asked for; undefined for a rule that does not compile. */
  readonly programs: () => Programs | undefined;
}

/** The rules of a schema and of what is below it; undefined where there are none. */
export interface RuleTree {
  readonly type: () => CelType | undefined;
  /** As the original names the type of a value that a rule refuses. */
  readonly typeName: string;
  readonly rules: readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly items: RuleTree | undefined;
  readonly values: RuleTree | undefined;
  readonly schema: Schema;
}

/** The rules of a schema that was accepted. Each is compiled when an object first meets it: there may be thousands. */
export function rulesOf(schema: Schema): RuleTree | undefined {
  return finish(new RuleCompiler([], false).compile(schema, '', true, 1, true));
}

/** Compiles all rules of a schema; what is wrong with them is added to `errors`. */
export function compileRules(schema: Schema, path: string, errors: FieldError[]): RuleTree | undefined {
  return finish(compileInSteps(schema, path, errors));
}

/** The same in steps of a few milliseconds. */
export function* compileInSteps(
  schema: Schema,
  path: string,
  errors: FieldError[],
): Generator<void, RuleTree | undefined> {
  const compiler = new RuleCompiler(errors, true);
  const tree = yield* compiler.compile(schema, path, true, 1, true);
  if (compiler.totalCost > definitionCostLimit) {
    const factor = excess(compiler.totalCost, definitionCostLimit);
    const detail = `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
    errors.push(forbidden(path, detail));
  }
  return tree;
}

/** Runs all steps at once. */
export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** A rule takes about a tenth of a millisecond, seldom much more. */
const rulesPerStep = 32;

type TypeOf = () => CelType | undefined;

/** What is made by the first call is kept. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const excess = (cost: number, limit: number): string => {
  const factor = cost / limit;
  return factor > 100 ? 'more than 100x' : `${factor.toFixed(1)}x`;
};

/** A rule without a text has the empty one. */
type GivenRule = ValidationRule & { readonly rule: string };

class RuleCompiler {
  totalCost = 0;
  #count = 0;
  readonly #functions = kubernetesFunctions();
  readonly #errors: FieldError[];
  /** Whether rules are checked at once. */
  readonly #isChecking: boolean;
  readonly #hasRules = new Map<Schema, boolean>();
  readonly #types = new Map<Schema, CelType | undefined>();

  constructor(errors: FieldError[], isChecking: boolean) {
    this.#errors = errors;
    this.#isChecking = isChecking;
  }

  /** @param count how often the schema can occur in one object */
  *compile(
    schema: Schema,
    path: string,
    isRoot: boolean,
    count: number,
    isCorrelated: boolean,
  ): Generator<void, RuleTree | undefined> {
    // Most of a schema has none: nothing is made for it.
    if (!this.#mayHaveRules(schema)) return undefined;
    const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true;
    const type = once(() => celTypeOf(schema, isResource));
    const rules = yield* this.#compileRules(schema, type, path, count, isCorrelated);
    const properties = new Map<string, RuleTree>();
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const tree = yield* this.compile(field, `${path}.properties[${name}]`, false, count, isCorrelated);
      if (tree) properties.set(name, tree);
    }
    const inner = itemsOf(schema);
    const isMapList = schema['x-kubernetes-list-type'] === 'map';
    const below = count * this.#sizeBound(schema, isResource);
    const items = inner && (yield* this.compile(inner, `${path}.items`, false, below, isCorrelated && isMapList));
    const additional = valuesOf(schema);
    const place = `${path}.additionalProperties`;
    const values = additional && (yield* this.compile(additional, place, false, below, isCorrelated));
    if (rules.length === 0 && properties.size === 0 && !items && !values) return undefined;
    return { type, typeName: typeNameOf(schema), rules, properties, items, values, schema };
  }

  #mayHaveRules(schema: Schema): boolean {
    const known = this.#hasRules.get(schema);
    if (known !== undefined) return known;
    const inner = itemsOf(schema);
    const values = valuesOf(schema);
    const has =
      (schema['x-kubernetes-validations'] ?? []).length > 0 ||
      Object.values(schema.properties ?? {}).some((field) => this.#mayHaveRules(field)) ||
      (inner !== undefined && this.#mayHaveRules(inner)) ||
      (values !== undefined && this.#mayHaveRules(values));
    this.#hasRules.set(schema, has);
    return has;
  }

  /** How many values there can be below one, where it matters what the rules on them cost. */
  #sizeBound(schema: Schema, isResource: boolean): number {
    if (!this.#isChecking || (!itemsOf(schema) && !valuesOf(schema))) return 1;
    const type = celTypeOf(schema, isResource, 'object', this.#types);
    return type ? sizeBound(type) : 1;
  }

  *#compileRules(
    schema: Schema,
    type: TypeOf,
    path: string,
    count: number,
    isCorrelated: boolean,
  ): Generator<void, CompiledRule[]> {
    const compiled: CompiledRule[] = [];
    const seen = new Set<string>();
    for (const [index, given] of (schema['x-kubernetes-validations'] ?? []).entries()) {
      if (this.#isChecking && (this.#count += 1) % rulesPerStep === 0) yield;
      const rule = { ...given, rule: given.rule ?? '' };
      const place = `${path}.x-kubernetes-validations[${index}]`;
      if (!this.#isWellFormed(rule, schema, place)) continue;
      if (seen.has(rule.rule)) this.#errors.push(duplicate(`${place}.rule`, rule.rule));
      seen.add(rule.rule);
      const done = this.#compileRule(rule, type, place, count, isCorrelated);
      if (done) compiled.push(done);
    }
    return compiled;
  }

  #isWellFormed(rule: GivenRule, schema: Schema, place: string): boolean {
    const errors = this.#errors;
    const before = errors.length;
    if (rule.rule.trim() === '') errors.push(required(`${place}.rule`, 'rule is not specified'));
    const { message, messageExpression } = rule;
    if (message && message.trim() === '') {
      errors.push(invalid(`${place}.message`, message, 'must be non-empty if specified'));
    } else if (message?.trim().includes('\n')) {
      errors.push(invalid(`${place}.message`, message, 'must not contain line breaks'));
    } else if (rule.rule.trim().includes('\n') && !message && !messageExpression) {
      errors.push(required(`${place}.message`, 'message must be specified if rule contains line breaks'));
    }
    if (messageExpression && messageExpression.trim() === '') {
      errors.push(required(`${place}.messageExpression`, 'messageExpression must be non-empty if specified'));
    }
    if (rule.reason !== undefined && !Object.hasOwn(reasons, rule.reason)) {
      const supported = Object.keys(reasons)
        .map((reason) => JSON.stringify(reason))
        .join(', ');
      const message_ = `Unsupported value: ${JSON.stringify(rule.reason)}: supported values: ${supported}`;
      errors.push({ type: 'FieldValueNotSupported', path: `${place}.reason`, message: message_ });
    }
    const { fieldPath } = rule;
    if (fieldPath) {
      const refuse = (detail: string): number => errors.push(invalid(`${place}.fieldPath`, fieldPath, detail));
      if (fieldPath.trim() === '') refuse('must be non-empty if specified');
      if (fieldPath.includes('\n')) refuse('must not contain line breaks');
      if (!resolves(fieldPath, schema)) refuse('must be a valid path');
    }
    return errors.length === before;
  }

  #compileRule(
    rule: GivenRule,
    type: TypeOf,
    place: string,
    count: number,
    isCorrelated: boolean,
  ): CompiledRule | undefined {
    const programs = once(() => this.#programs(rule, type(), place));
    if (this.#isChecking && !programs()) return undefined;
    const usesOld = /\boldSelf\b/.test(rule.rule);
    if (!usesOld && rule.optionalOldSelf !== undefined) {
      const detail = 'may not be set if oldSelf is not used in rule';
      this.#errors.push(invalid(`${place}.optionalOldSelf`, rule.optionalOldSelf, detail));
    }
    if (usesOld && !isCorrelated) {
      const detail =
        'oldSelf cannot be used on the uncorrelatable portion of the schema within ' +
        place.replace(/\.x-kubernetes-validations.*$/, '');
      this.#errors.push(invalid(`${place}.rule`, rule.rule, detail));
      return undefined;
    }
    if (this.#isChecking) this.#checkCost(programs()?.program, count, `${place}.rule`);
    return { rule, usesOld, programs };
  }

  #programs(rule: GivenRule, type: CelType | undefined, place: string): Programs | undefined {
    if (!type) return undefined;
    const oldSelf = rule.optionalOldSelf === true ? optionalType(type) : type;
    const environment = new CelEnvironment({ variables: { self: type, oldSelf } }, this.#functions);
    const program = this.#attempt(environment, rule, 'rule', `${place}.rule`);
    if (!program) return undefined;
    const { messageExpression } = rule;
    const messagePlace = `${place}.messageExpression`;
    const message = messageExpression ? this.#attempt(environment, rule, 'messageExpression', messagePlace) : undefined;
    return { program, message };
  }

  #checkCost(program: Program | undefined, count: number, path: string): void {
    if (!program) return;
    const cost = program.estimatedCost * count;
    this.totalCost += cost;
    if (cost <= ruleCostLimit) return;
    const factor = excess(cost, ruleCostLimit);
    const detail = `estimated rule cost exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
    this.#errors.push(forbidden(path, detail));
  }

  #attempt(
    environment: CelEnvironment,
    rule: GivenRule,
    what: 'rule' | 'messageExpression',
    path: string,
  ): Program | undefined {
    try {
      return environment.compile(rule[what] ?? '', what === 'rule' ? 'bool' : 'string');
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      const subject = what === 'rule' ? 'cel expression' : 'messageExpression';
      const head = what === 'rule' ? '' : 'messageExpression ';
      const detail =
        error instanceof ResultTypeError
          ? `${subject} must evaluate to a ${what === 'rule' ? 'bool' : 'string'}`
          : `${head}compilation failed: ${error.message}`;
      this.#errors.push({ type: 'FieldValueInvalid', path, message: `Invalid value: ${shownRule(rule)}: ${detail}` });
      return undefined;
    }
  }
}

/** A rule as the original shows it: all its fields, as Go writes them. */
function shownRule({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: GivenRule): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify({
    Rule: rule,
    Message: message ?? '',
    MessageExpression: messageExpression ?? '',
    Reason: reason ?? null,
    FieldPath: fieldPath ?? '',
    OptionalOldSelf: optionalOldSelf ?? null,
  }).replace(/[<>&\u2028\u2029]/g, escape);
}

const reasons: Readonly<Record<string, FieldErrorType>> = {
  FieldValueDuplicate: 'FieldValueDuplicate',
  FieldValueForbidden: 'FieldValueForbidden',
  FieldValueInvalid: 'FieldValueInvalid',
  FieldValueRequired: 'FieldValueRequired',
};

const typeNameOf = (schema: Schema): string => schema.type ?? 'object';

/** `.a.b`, `.a['b']`: fields and keys of maps; lists cannot be looked into. */
function stepsOf(fieldPath: string): string[] | undefined {
  const steps: string[] = [];
  const pattern = /\.([A-Za-z_][\w-]*)|\['((?:[^'\\]|\\.)*)'\]/y;
  while (pattern.lastIndex < fieldPath.length) {
    const match = pattern.exec(fieldPath);
    if (!match) return undefined;
    steps.push(match[1] ?? (match[2] ?? '').replace(/\\(.)/g, '$1'));
  }
  return steps.length === 0 ? undefined : steps;
}

function resolves(fieldPath: string, schema: Schema): boolean {
  let at: Schema | undefined = schema;
  for (const step of stepsOf(fieldPath) ?? ['']) {
    const field: Schema | undefined =
      at.properties && Object.hasOwn(at.properties, step) ? at.properties[step] : valuesOf(at);
    if (!field) return false;
    at = field;
  }
  return stepsOf(fieldPath) !== undefined;
}

/** Runs the rules over a value; `old` is what is stored, for transition rules and for what may stay wrong. */
export function evaluateRules(tree: RuleTree | undefined, value: unknown, old: unknown): FieldError[] {
  if (!tree) return [];
  const evaluation = new Evaluation();
  try {
    evaluation.visit(tree, value, old, '');
  } catch (error) {
    if (!(error instanceof RuleBudgetExceeded)) throw error;
  }
  return evaluation.errors;
}

/** Ends the walk: no further rule is run. */
class RuleBudgetExceeded extends Error {}

class Evaluation {
  readonly errors: FieldError[] = [];
  readonly #request = new Budget(requestCostLimit);

  visit(tree: RuleTree, value: unknown, old: unknown, path: string): void {
    if (value === undefined || value === null) return;
    if (tree.rules.length > 0 && (tree.schema.type !== 'object' || isObject(value))) this.#run(tree, value, old, path);
    if (Array.isArray(value)) {
      const { items } = tree;
      if (!items) return;
      const before = correlate(value, tree.schema, old);
      value.forEach((item: unknown, index) => this.visit(items, item, before?.(index), `${path}[${index}]`));
      return;
    }
    if (!isObject(value)) return;
    const before = isObject(old) ? old : {};
    for (const [name, inner] of tree.properties) {
      const field = getField(value, name);
      if (field !== undefined) this.visit(inner, field, getField(before, name), path === '' ? name : `${path}.${name}`);
    }
    if (!tree.values) return;
    for (const name of Object.keys(value)) {
      if (tree.properties.has(name)) continue;
      this.visit(tree.values, value[name], getField(before, name), path === '' ? name : `${path}[${name}]`);
    }
  }

  #run(tree: RuleTree, value: unknown, old: unknown, path: string): void {
    const isUnchanged = old !== undefined && equalJson(value, old);
    const type = tree.type();
    if (!type) return;
    const self = fromJson(value, type);
    for (const compiled of tree.rules) {
      const { rule, usesOld } = compiled;
      const isOptionalOld = rule.optionalOldSelf === true;
      if (usesOld && !isOptionalOld && (old === undefined || old === null)) continue;
      // What was stored already may stay as it is, whatever a newer rule says.
      if (isUnchanged && !usesOld) continue;
      const oldValue = old === undefined || old === null ? undefined : fromJson(old, type);
      const variables = { self, oldSelf: isOptionalOld ? optional(oldValue) : (oldValue ?? null) };
      const failure = this.#failure(compiled, variables, tree, path);
      if (failure) this.errors.push(failure);
    }
  }

  #failure(
    { rule, programs }: CompiledRule,
    variables: Readonly<Record<string, CelValue>>,
    { typeName }: RuleTree,
    path: string,
  ): FieldError | undefined {
    const place = rule.fieldPath === undefined ? path : `${path}${rule.fieldPath}`.replace(/^\./, '');
    const made = programs();
    if (!made) return undefined;
    const { program, message } = made;
    try {
      if (program.evaluate(variables, this.#budget()) === true) return undefined;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      if (error instanceof CelBudgetError) return this.#exceeded(rule, typeName, path);
      return invalid(path, typeName, `${error.message} evaluating rule: ${defaultMessage(rule)}`);
    }
    const text = this.#message(message, variables) ?? defaultMessage(rule);
    return withReason(rule.reason, place, typeName, text);
  }

  #budget(): Budget {
    return new Budget(perCallCostLimit, this.#request);
  }

  #exceeded(rule: GivenRule, typeName: string, path: string): never {
    const detail =
      this.#request.left < 0
        ? 'validation failed due to running out of cost budget, no further validation rules will be run'
        : `call cost exceeds limit for rule: ${defaultMessage(rule)}. no further validation rules will be run due to call cost exceeds limit for rule`;
    this.errors.push(invalid(path, typeName, detail));
    throw new RuleBudgetExceeded();
  }

  /** A message that cannot be made, or is none, gives way to the fixed one. */
  #message(program: Program | undefined, variables: Readonly<Record<string, CelValue>>): string | undefined {
    if (!program) return undefined;
    try {
      const value = program.evaluate(variables, this.#budget());
      if (typeof value !== 'string' || value.trim() === '' || value.includes('\n') || value.length > 5 * 1024)
        return undefined;
      return value.trim();
    } catch (error) {
      if (error instanceof CelError) return undefined;
      throw error;
    }
  }
}

const optional = (value: CelValue | undefined): CelOptional =>
  value === undefined ? noneValue : new CelOptional(value);

const defaultMessage = ({ rule, message }: GivenRule): string =>
  message ? message.trim() : `failed rule: ${rule.trim()}`;

function withReason(reason: string | undefined, path: string, typeName: string, text: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, text);
    case 'FieldValueRequired':
      return required(path, text);
    case 'FieldValueDuplicate':
      return duplicate(path, typeName);
    default:
      return invalid(path, typeName, text);
  }
}
