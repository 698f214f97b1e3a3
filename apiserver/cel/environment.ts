import { Budget, perCallCostLimit } from './budget.js';
import { checkExpression, type Declarations } from './checker.js';
import { compileExpression, type Evaluate } from './compiler.js';
import { estimateCost } from './cost-estimate.js';
import { CelCompileError, CelError } from './errors.js';
import { FunctionTable, type Overload } from './functions.js';
import { authorizerFunctions } from './functions/authorizer.js';
import { formatFunctions } from './functions/format.js';
import { listFunctions } from './functions/lists.js';
import { networkFunctions, urlFunctions } from './functions/network.js';
import { optionalFunctions } from './functions/optional.js';
import { quantityFunctions } from './functions/quantity.js';
import { regexFunctions } from './functions/regex.js';
import { semverFunctions } from './functions/semver.js';
import { standardFunctions } from './functions/standard.js';
import { stringFunctions } from './functions/strings.js';
import { timeFunctions } from './functions/time.js';
import { parseExpression } from './parser.js';
import { dynType, resultTypeName, type CelType } from './types.js';
import type { CelValue } from './values.js';

export interface EnvironmentOptions {
  /** Variables and their types; a name may have dots (`authorizer.requestResource`). */
  readonly variables: Readonly<Record<string, CelType>>;
  /** Types of objects that expressions may make (`Object.spec{...}`); undefined: no such type. Default: none. */
  readonly structType?: (name: string) => CelType | undefined;
  /** Whether expressions may name values of their own: `cel.bind(x, VALUE, EXPRESSION)`. Selectors of devices may. */
  readonly hasBind?: boolean;
}

/** Values of the variables; a function is called when the variable is first read. */
export type VariableValues = Readonly<Record<string, CelValue | (() => CelValue)>>;

/** An expression that can be run. */
export interface Program {
  readonly source: string;
  readonly type: CelType;
  /** The most that a run can cost, by the sizes that the types of the variables allow. */
  readonly estimatedCost: number;
  /**
   * Runs the expression. Pure but for the budget.
   * @param budget Default: one of its own, of the original's limit for one expression.
   * @throws CelError when the expression has no value, CelBudgetError when the budget does not suffice
   */
  evaluate(variables: VariableValues, budget?: Budget): CelValue;
}

/**
 * Kubernetes' dialect of the Common Expression Language: the libraries of 1.36 over a parser, checker and compiler of our
 * own. Make one for each set of variables, compile each expression once, run it often.
 *
 *     source -> parser -> tree -> checker (types, overloads) -> compiler -> functions -> value
 */
export class CelEnvironment {
  readonly #declarations: Declarations;
  readonly #hasBind: boolean;

  constructor(options: EnvironmentOptions, functions: FunctionTable = kubernetesFunctions()) {
    this.#hasBind = options.hasBind ?? false;
    this.#declarations = {
      variables: new Map(Object.entries(options.variables)),
      functions,
      structType: options.structType ?? (() => undefined),
    };
  }

  /**
   * Reads and checks an expression.
   * @param expected what it must evaluate to; dyn passes
   * @throws CelCompileError with a message as the original's compiler gives it
   */
  compile(source: string, expected?: CelType['kind']): Program {
    const tree = parseExpression(source, this.#hasBind);
    const checked = checkExpression(source, tree, this.#declarations);
    const type = checked.types.get(tree) ?? dynType;
    if (expected !== undefined && type.kind !== expected && type.kind !== 'dyn') {
      throw new ResultTypeError(type, expected);
    }
    const { evaluate, slotCount } = compileExpression(tree, checked);
    const estimatedCost = estimateCost(tree, checked, this.#declarations.variables);
    return new CompiledProgram(source, type, estimatedCost, evaluate, slotCount);
  }
}

/** The expression is good but its value is not of the type that is needed. */
export class ResultTypeError extends CelCompileError {
  readonly type: CelType;

  constructor(type: CelType, expected: CelType['kind']) {
    super('', []);
    this.type = type;
    this.message = `must evaluate to ${expected} but got ${resultTypeName(type)}`;
  }
}

class CompiledProgram implements Program {
  readonly source: string;
  readonly type: CelType;
  readonly estimatedCost: number;
  readonly #evaluate: Evaluate;
  readonly #slotCount: number;

  constructor(source: string, type: CelType, estimatedCost: number, evaluate: Evaluate, slotCount: number) {
    this.source = source;
    this.type = type;
    this.estimatedCost = estimatedCost;
    this.#evaluate = evaluate;
    this.#slotCount = slotCount;
  }

  evaluate(values: VariableValues, budget = new Budget(perCallCostLimit)): CelValue {
    const variables = (name: string): CelValue => {
      const given = Object.hasOwn(values, name) ? values[name] : undefined;
      if (given === undefined) throw new CelError(`no such attribute(s): ${name}`);
      return typeof given === 'function' ? given() : given;
    };
    return this.#evaluate({ slots: Array.from<CelValue | undefined>({ length: this.#slotCount }), variables, budget });
  }
}

/** Every library of Kubernetes 1.36. */
export function kubernetesFunctions(more: readonly Overload[] = []): FunctionTable {
  return new FunctionTable([
    standardFunctions,
    timeFunctions,
    stringFunctions,
    listFunctions,
    optionalFunctions,
    quantityFunctions,
    networkFunctions,
    urlFunctions,
    regexFunctions(),
    semverFunctions,
    formatFunctions,
    authorizerFunctions,
    more,
  ]);
}
