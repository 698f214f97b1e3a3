import type {
  Binding,
  Call,
  Comprehension,
  Expression,
  ListLiteral,
  MapLiteral,
  Select,
  StructLiteral,
} from './ast.js';
import { CelCompileError, type Issue } from './errors.js';
import type { FunctionTable, Overload } from './functions.js';
import { literalIssues } from './literal-checks.js';
import { qualifiedName } from './parser.js';
import {
  boolType,
  bytesType,
  commonType,
  describeType,
  doubleType,
  durationType,
  dynType,
  freeType,
  hasFree,
  innerOf,
  isDynamic,
  intType,
  isAssignable,
  isOptional,
  joinTypes,
  listType,
  mapType,
  nullType,
  optionalType,
  stringType,
  substitute,
  timestampType,
  typeOf,
  uintType,
  type Bindings,
  type CelType,
} from './types.js';
import { CelUint, type CelValue } from './values.js';

/** What the checker found out about an expression. */
export interface Checked {
  readonly types: ReadonlyMap<Expression, CelType>;
  /** The forms of a function that may be meant, and what they are given (the target first). */
  readonly calls: ReadonlyMap<
    Call,
    { readonly overloads: readonly Overload[]; readonly operands: readonly Expression[] }
  >;
  /** Selections that are a variable with dots in its name. */
  readonly dotted: ReadonlyMap<Select, string>;
}

export interface Declarations {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: FunctionTable;
  /** Type of an object that an expression may make, by name; undefined: no such type. */
  readonly structType: (name: string) => CelType | undefined;
}

const maxIssues = 10;
/** Types as values: `type(x) == int`. */
const namedTypes: Readonly<Record<string, CelType>> = {
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
  list: listType(dynType),
  map: mapType(dynType, dynType),
  null_type: nullType,
  type: typeOf(dynType),
  'google.protobuf.Timestamp': timestampType,
  'google.protobuf.Duration': durationType,
  optional_type: optionalType(dynType),
};
const sortableKinds = new Set<CelType['kind']>([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'timestamp',
  'duration',
  'dyn',
] as const);
export const isTypeName = (name: string): boolean => Object.hasOwn(namedTypes, name);

/**
 * Checks an expression against the declarations.
 * @throws CelCompileError with all that is wrong
 */
export function checkExpression(source: string, expression: Expression, declarations: Declarations): Checked {
  const checker = new Checker(declarations);
  checker.check(expression);
  const issues = checker.issues.length > 0 ? checker.issues : literalIssues(expression, checker.types);
  if (issues.length > 0)
    throw new CelCompileError(source, issues.sort((a, b) => a.offset - b.offset).slice(0, maxIssues));
  return checker;
}

class Checker implements Checked {
  readonly types = new Map<Expression, CelType>();
  readonly calls = new Map<Call, { overloads: readonly Overload[]; operands: readonly Expression[] }>();
  readonly dotted = new Map<Select, string>();
  readonly issues: Issue[] = [];
  readonly #given: Declarations;
  readonly #scopes: Map<string, CelType>[] = [];
  /** The arguments of format() may be of any types. */
  #mixesTypes = false;

  constructor(given: Declarations) {
    this.#given = given;
  }

  check(expression: Expression): CelType {
    const type = this.#typeOf(expression);
    this.types.set(expression, type);
    return type;
  }

  #typeOf(expression: Expression): CelType {
    switch (expression.kind) {
      case 'literal':
        return literalType(expression.value);
      case 'identifier':
        return this.#identifier(expression.name, expression.offset);
      case 'select':
        return this.#select(expression);
      case 'call':
        return this.#call(expression);
      case 'list':
        return this.#list(expression);
      case 'map':
        return this.#map(expression);
      case 'struct':
        return this.#struct(expression);
      case 'comprehension':
        return this.#comprehension(expression);
      case 'binding':
        return this.#binding(expression);
    }
  }

  #fail(offset: number, message: string): CelType {
    this.issues.push({ offset, message });
    return dynType;
  }

  #variable(name: string): CelType | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]?.get(name);
      if (found) return found;
    }
    return this.#given.variables.get(name);
  }

  #identifier(name: string, offset: number): CelType {
    const known = this.#variable(name);
    if (known) return known;
    if (isTypeName(name)) return typeOf(namedTypes[name] ?? dynType);
    return this.#fail(offset, `undeclared reference to '${name}' (in container '')`);
  }

  #select(expression: Select): CelType {
    const { field, offset, isTest } = expression;
    const name = qualifiedName(expression);
    if (name !== undefined && (this.#given.variables.has(name) || isTypeName(name))) {
      this.dotted.set(expression, name);
      return this.#given.variables.get(name) ?? typeOf(namedTypes[name] ?? dynType);
    }
    const operand = this.check(expression.operand);
    const container = innerOf(operand);
    const found = this.#fieldType(container, field, offset);
    if (isTest) return boolType;
    return expression.isOptional || isOptional(operand) ? optionalType(innerOf(found)) : found;
  }

  #fieldType(container: CelType, field: string, offset: number): CelType {
    switch (container.kind) {
      case 'dyn':
        return dynType;
      case 'map':
        return container.values;
      case 'object':
        return container.fields.get(field) ?? this.#fail(offset, `undefined field '${field}'`);
      default:
        return this.#fail(offset, `type '${describeType(container)}' does not support field selection`);
    }
  }

  #call(expression: Call): CelType {
    const { function: name, target, offset } = expression;
    const isOptionalIndex = name === '_[?_]';
    if (name === '_&&_' || name === '_||_') return this.#logic(expression);
    if (name === '_?_:_') return this.#conditional(expression);
    if (name === '_==_' || name === '_!=_') return this.#equality(expression);
    if (isOptionalIndex) return this.#optionalIndex(expression);
    if (target && isOptional(this.#quietType(target)) && (name === 'or' || name === 'orValue'))
      return this.#or(expression);
    const global = target && this.#globalName(target, name);
    const isMember = target !== undefined && global === undefined;
    const operands = isMember ? [target, ...expression.arguments] : expression.arguments;
    if (name === 'format') this.#mixesTypes = true;
    const types = operands.map((operand) => this.types.get(operand) ?? this.check(operand));
    if (name === 'format') this.#mixesTypes = false;
    const known = this.#given.functions.find(global ?? name, isMember, operands.length);
    if (name === '_[_]' && types[0] && isOptional(types[0])) return this.#optionalIndex(expression);
    if (!this.#given.functions.has(global ?? name)) {
      return this.#fail(offset, `undeclared reference to '${global ?? name}' (in container '')`);
    }
    return this.#resolve(expression, global ?? name, known, operands, types, isMember);
  }

  #resolve(
    expression: Call,
    name: string,
    known: readonly Overload[],
    operands: readonly Expression[],
    types: readonly CelType[],
    isMember: boolean,
  ): CelType {
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of known) {
      // Lists have other indexes than integers only where nobody could know before.
      if (name === '_[_]' && types[0]?.kind === 'list' && types[1]?.kind !== 'dyn' && types[1]?.kind !== 'int') break;
      const bindings: Bindings = new Map();
      if (!overload.parameters.every((parameter, index) => isAssignable(parameter, types[index] ?? dynType, bindings)))
        continue;
      const type = substitute(overload.result, bindings);
      result = result === undefined ? type : joinTypes(result, type);
      fitting.push(overload);
      // What is open takes the first form that fits.
      if (types.some(hasFree)) break;
    }
    if (result === undefined) {
      const texts = types.map(describeType);
      const shown = isMember ? `${texts[0]}.(${texts.slice(1).join(', ')})` : `(${texts.join(', ')})`;
      return this.#fail(expression.offset, `found no matching overload for '${name}' applied to '${shown}'`);
    }
    this.calls.set(expression, { overloads: fitting, operands });
    return name === 'type' ? typeOf(types[0] ?? dynType) : result;
  }

  #logic(expression: Call): CelType {
    for (const argument of expression.arguments) this.#wantBool(argument);
    return boolType;
  }

  #conditional(expression: Call): CelType {
    const [condition = dynType, then = dynType, otherwise = dynType] = expression.arguments.map((argument) =>
      this.check(argument),
    );
    const isBool = condition.kind === 'bool' || condition.kind === 'dyn';
    if (!isBool || !(isAssignable(then, otherwise) || isAssignable(otherwise, then))) {
      return this.#noOverload(expression, [condition, then, otherwise]);
    }
    return joinTypes(then, otherwise);
  }

  #equality(expression: Call): CelType {
    const [left = dynType, right = dynType] = expression.arguments.map((argument) => this.check(argument));
    if (isAssignable(left, right) || isAssignable(right, left)) return boolType;
    return this.#noOverload(expression, [left, right]);
  }

  #noOverload(expression: Call, types: readonly CelType[]): CelType {
    const shown = types.map(describeType).join(', ');
    return this.#fail(
      expression.offset,
      `found no matching overload for '${expression.function}' applied to '(${shown})'`,
    );
  }

  #optionalIndex(expression: Call): CelType {
    const [operand = dynType, index = dynType] = expression.arguments.map(
      (argument) => this.types.get(argument) ?? this.check(argument),
    );
    const container = innerOf(operand);
    if (container.kind === 'list') return optionalType(innerOf(container.items));
    if (container.kind === 'map') return optionalType(innerOf(container.values));
    if (container.kind === 'dyn') return optionalType(dynType);
    return this.#noOverload(expression, [operand, index]);
  }

  /** `a.or(b)` and `a.orValue(b)` do not look at b unless they need it. */
  #or(expression: Call): CelType {
    const { target, arguments: list } = expression;
    const left = target ? this.check(target) : dynType;
    const right = list[0] ? this.check(list[0]) : dynType;
    const wanted = expression.function === 'or' ? left : innerOf(left);
    if (list.length === 1 && (isAssignable(wanted, right) || isAssignable(right, wanted)))
      return joinTypes(wanted, right);
    const texts = list.map((argument) => describeType(this.types.get(argument) ?? dynType)).join(', ');
    const message = `found no matching overload for '${expression.function}' applied to '${describeType(left)}.(${texts})'`;
    return this.#fail(expression.offset, message);
  }

  /** The type of an expression that is checked again later: nothing is reported twice. */
  #quietType(expression: Expression): CelType {
    const count = this.issues.length;
    const name = qualifiedName(expression);
    if (name !== undefined && !this.#isRooted(expression)) return dynType;
    const type = this.types.get(expression) ?? this.check(expression);
    if (this.issues.length > count) return dynType;
    return type;
  }

  /** `sets.contains`, `optional.of`: a function in a namespace, unless the namespace is a variable. */
  #globalName(target: Expression, name: string): string | undefined {
    const prefix = qualifiedName(target);
    if (prefix === undefined || this.#isRooted(target)) return undefined;
    const full = `${prefix}.${name}`;
    return this.#given.functions.hasGlobal(full) ? full : undefined;
  }

  #isRooted(expression: Expression): boolean {
    let root = expression;
    while (root.kind === 'select') root = root.operand;
    return root.kind !== 'identifier' || this.#variable(root.name) !== undefined;
  }

  #list(expression: ListLiteral): CelType {
    let items: CelType | undefined;
    for (const { value, isOptional: mayBeAbsent } of expression.elements) {
      const given = this.check(value);
      const type = mayBeAbsent ? this.#unwrapped(given, value.offset) : given;
      items = this.#same(items, type, value.offset);
    }
    return listType(items ?? freeType);
  }

  #map(expression: MapLiteral): CelType {
    let keys: CelType | undefined;
    let values: CelType | undefined;
    for (const entry of expression.entries) {
      keys = this.#same(keys, this.check(entry.key), entry.key.offset);
      const given = this.check(entry.value);
      values = this.#same(
        values,
        entry.isOptional ? this.#unwrapped(given, entry.value.offset) : given,
        entry.value.offset,
      );
    }
    return mapType(keys ?? freeType, values ?? freeType);
  }

  #unwrapped(type: CelType, offset: number): CelType {
    if (isOptional(type) || type.kind === 'dyn') return innerOf(type);
    return this.#fail(offset, `expected type 'optional_type(${describeType(type)})' but found '${describeType(type)}'`);
  }

  /** Items of a literal are of one type. */
  #same(known: CelType | undefined, type: CelType, offset: number): CelType {
    if (!known) return type;
    if (this.#mixesTypes) return joinTypes(known, type);
    const isMixed =
      isDynamic(known) !== isDynamic(type) ||
      (isScalar(known) && type.kind === 'null') ||
      (known.kind === 'null' && isScalar(type));
    const same = isMixed ? undefined : commonType(known, type);
    if (same) return same;
    return this.#fail(offset, `expected type '${describeType(known)}' but found '${describeType(type)}'`);
  }

  #struct(expression: StructLiteral): CelType {
    const type = this.#given.structType(expression.typeName);
    for (const field of expression.fields) {
      const given = this.check(field.value);
      const wanted = type?.kind === 'object' ? type.fields.get(field.name) : dynType;
      if (!type) continue;
      if (!wanted) this.#fail(field.offset, `undefined field '${field.name}'`);
      else if (!isAssignable(wanted, field.isOptional ? innerOf(given) : given)) {
        const texts = `expected type of field '${field.name}' is '${describeType(wanted)}' but provided type is '${describeType(given)}'`;
        this.#fail(field.offset, texts);
      }
    }
    return type ?? this.#fail(expression.offset, `undeclared reference to '${expression.typeName}' (in container '')`);
  }

  #comprehension(expression: Comprehension): CelType {
    const { macro, variables, filter, body, offset } = expression;
    const range = this.check(expression.range);
    const [first = '', second] = variables;
    const scope = new Map<string, CelType>();
    const { key, value } = this.#rangeTypes(range, expression.range.offset);
    scope.set(first, second === undefined ? (range.kind === 'list' ? value : key) : key);
    if (second !== undefined) scope.set(second, value);
    this.#scopes.push(scope);
    const condition = macro === 'filter' || macro === 'exists_one' ? body : filter;
    if (condition) this.check(condition);
    const isSearch = macro === 'all' || macro === 'exists';
    const result = isSearch ? this.#wantBool(body) : (this.types.get(body) ?? this.check(body));
    this.#scopes.pop();
    if (condition) this.#wantCondition(expression, condition, { range, result });
    switch (macro) {
      case 'filter':
        return range.kind === 'list' ? range : range.kind === 'map' ? listType(key) : listType(dynType);
      case 'sortBy':
        return this.#sorted(expression, range, result);
      case 'map':
      case 'transformList':
        return listType(result);
      case 'transformMap':
        return mapType(key, result);
      case 'transformMapEntry': {
        if (result.kind === 'map') return result;
        const made = mapType(dynType, dynType);
        if (result.kind === 'dyn') return made;
        const shown = [made, result].map(describeType).join(', ');
        return this.#fail(offset, `found no matching overload for 'cel.@mapInsert' applied to '(${shown})'`);
      }
      default:
        return boolType;
    }
  }

  /** What keeps an item is a choice between two results in the original, and its refusal says so. */
  #wantCondition(
    { macro, offset }: Comprehension,
    condition: Expression,
    { range, result }: { readonly range: CelType; readonly result: CelType },
  ): void {
    const type = this.types.get(condition) ?? dynType;
    if (type.kind === 'bool' || type.kind === 'dyn') return;
    const items = range.kind === 'list' ? range.items : range.kind === 'map' ? range.keys : dynType;
    const made = macro === 'exists_one' ? intType : macro === 'filter' ? listType(items) : listType(result);
    const shown = [type, made, made].map(describeType).join(', ');
    this.#fail(offset, `found no matching overload for '_?_:_' applied to '(${shown})'`);
  }

  #sorted({ offset }: Comprehension, range: CelType, key: CelType): CelType {
    if (range.kind === 'list' && sortableKinds.has(key.kind)) return range;
    if (range.kind === 'dyn') return listType(dynType);
    const shown = `${describeType(range)}.(${describeType(listType(key))})`;
    return this.#fail(offset, `found no matching overload for '@sortByAssociatedKeys' applied to '${shown}'`);
  }

  #rangeTypes(range: CelType, offset: number): { key: CelType; value: CelType } {
    switch (range.kind) {
      case 'list':
        return { key: intType, value: range.items };
      case 'map':
        return { key: range.keys, value: range.values };
      case 'dyn':
        return { key: dynType, value: dynType };
      default: {
        const shown = `expression of type '${describeType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#fail(offset, shown);
        return { key: dynType, value: dynType };
      }
    }
  }

  #wantBool(expression: Expression): CelType {
    const type = this.check(expression);
    if (type.kind === 'bool' || type.kind === 'dyn') return boolType;
    return this.#fail(expression.offset, `expected type 'bool' but found '${describeType(type)}'`);
  }

  #binding(expression: Binding): CelType {
    const value = this.check(expression.value);
    const isOptionalMap = expression.macro !== 'bind';
    if (isOptionalMap && !isOptional(value) && value.kind !== 'dyn') {
      return this.#fail(expression.offset, `undeclared reference to '${expression.macro}' (in container '')`);
    }
    this.#scopes.push(new Map([[expression.variable, isOptionalMap ? innerOf(value) : value]]));
    const body = this.check(expression.body);
    this.#scopes.pop();
    return expression.macro === 'optMap' ? optionalType(body) : body;
  }
}

function literalType(value: CelValue): CelType {
  if (value === null) return nullType;
  switch (typeof value) {
    case 'boolean':
      return boolType;
    case 'bigint':
      return intType;
    case 'number':
      return doubleType;
    case 'string':
      return stringType;
    default:
      return value instanceof CelUint ? uintType : bytesType;
  }
}

/** What can never be null. */
const isScalar = ({ kind }: CelType): boolean =>
  ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'type'].includes(kind);
