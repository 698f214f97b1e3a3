import type { ValidatingAdmissionPolicy, Validation } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { Budget, requestCostLimit } from '../../cel/budget.js';
import type { Program, VariableValues } from '../../cel/environment.js';
import { CelBudgetError, CelCompileError, CelError } from '../../cel/errors.js';
import { compileConditions, evaluateConditions } from '../expressions/cel-match-conditions.js';
import { compileErrorText, ExpressionCompiler, type ExpressionUse } from '../expressions/expression-environment.js';
import { withVariables } from '../expressions/expression-values.js';
import type { Check, CheckError } from './policy-metrics.js';

const maxMessageLength = 5 * 1024;
const maxAnnotationLength = 10 * 1024;

/** An expression, or why it cannot be compiled. */
type Compiled =
  { readonly source: string; readonly program: Program } | { readonly source: string; readonly error: string };

/** One reason to refuse. */
export interface Failure {
  readonly message: string;
  readonly reason: string;
  /** Which of the validations. */
  readonly index: number;
  readonly check: Check;
}

/** What a policy says about one request with one parameter. */
export interface Judgement {
  readonly failures: readonly Failure[];
  readonly annotations: readonly (readonly [key: string, value: string])[];
  /** Annotations that went wrong, where that is a reason to refuse. */
  readonly problems?: readonly string[];
  /** Checks that went wrong, where that is no reason to refuse. */
  readonly ignored?: readonly Check[];
}

const nothing: Judgement = { failures: [], annotations: [] };

/** A ValidatingAdmissionPolicy, ready to be asked. */
export class CompiledValidation {
  readonly #failsOpen: boolean;
  readonly #compiler: ExpressionCompiler;
  readonly #conditions: ReturnType<typeof compileConditions>;
  readonly #validations: readonly {
    readonly validation: Validation;
    readonly check: Compiled;
    readonly message: Compiled | undefined;
  }[];
  readonly #annotations: readonly { readonly key: string; readonly value: Compiled }[];

  constructor({ spec }: ValidatingAdmissionPolicy & KubernetesObject) {
    const hasParams = spec.paramKind !== undefined;
    this.#failsOpen = spec.failurePolicy === 'Ignore';
    this.#compiler = new ExpressionCompiler(hasParams);
    this.#conditions = compileConditions(spec.matchConditions ?? [], hasParams);
    for (const variable of spec.variables ?? []) this.#ignoringErrors(() => this.#compiler.define(variable));
    this.#validations = (spec.validations ?? []).map((validation) => ({
      validation,
      check: this.#compile(validation.expression, 'validation'),
      message: validation.messageExpression ? this.#compile(validation.messageExpression, 'message') : undefined,
    }));
    this.#annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      value: this.#compile(valueExpression, 'auditAnnotation'),
    }));
  }

  judge(given: VariableValues): Judgement {
    const matched = evaluateConditions(this.#conditions, given);
    if (matched === 'noMatch') return nothing;
    if (matched !== 'match') return this.#failed([matched.error]);
    const budget = new Budget(requestCostLimit);
    const values = withVariables(given, this.#compiler.variables, budget);
    const found = this.#validations.flatMap((one, index) => this.#check(one, index, values, budget) ?? []);
    const isError = ({ check }: Failure): boolean => check.errorType !== 'no_error';
    const ignored = this.#failsOpen ? found.filter(isError).map(({ check }) => check) : [];
    const failures = this.#failsOpen ? found.filter((failure) => !isError(failure)) : found;
    const { annotations, problems } = this.#annotate(values, budget);
    return { failures, annotations, ignored, ...(problems.length > 0 && !this.#failsOpen ? { problems } : {}) };
  }

  #failed(messages: readonly string[]): Judgement {
    if (this.#failsOpen) return nothing;
    const check: Check = { errorType: 'invalid_error', elapsedMs: 0 };
    return { failures: messages.map((message) => ({ message, reason: '', index: 0, check })), annotations: [] };
  }

  #check(
    { validation, check, message }: { validation: Validation; check: Compiled; message: Compiled | undefined },
    index: number,
    values: VariableValues,
    budget: Budget,
  ): Failure | undefined {
    const startMs = performance.now();
    const result = run(check, values, budget);
    const elapsedMs = performance.now() - startMs;
    if ('error' in result) {
      return { message: result.error, reason: '', index, check: { errorType: result.errorType, elapsedMs } };
    }
    if (result.value === true) return undefined;
    const said = message && messageOf(run(message, values, budget));
    const text = said ?? (validation.message?.trim() || `failed expression: ${validation.expression.trim()}`);
    return {
      message: text,
      reason: validation.reason ?? 'Invalid',
      index,
      check: { errorType: 'no_error', elapsedMs },
    };
  }

  /** null and a text of nothing are no annotation; anything else than a text is a mistake of the policy. */
  #annotate(values: VariableValues, budget: Budget): { annotations: [string, string][]; problems: string[] } {
    const annotations: [string, string][] = [];
    const problems: string[] = [];
    for (const { key, value } of this.#annotations) {
      const result = run(value, values, budget);
      if ('error' in result) problems.push(result.error);
      else if (typeof result.value === 'string') {
        const text = result.value.trim();
        if (text !== '') annotations.push([key, text.slice(0, maxAnnotationLength)]);
      } else if (result.value !== null) {
        problems.push(
          `valueExpression '${value.source}' resulted in unsupported return type. Return type must be either string or null`,
        );
      }
    }
    return { annotations, problems };
  }

  #compile(source: string, use: ExpressionUse): Compiled {
    try {
      return { source, program: this.#compiler.compile(source, use) };
    } catch (error) {
      if (error instanceof CelCompileError) return { source, error: compileErrorText(error) };
      throw error;
    }
  }

  /** What does not compile fails where it is used. */
  #ignoringErrors(compile: () => void): void {
    try {
      compile();
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
    }
  }
}

function run(
  compiled: Compiled,
  values: VariableValues,
  budget: Budget,
): { readonly value: unknown } | { readonly error: string; readonly errorType: CheckError } {
  if ('error' in compiled) return { error: compiled.error, errorType: 'compile_error' };
  try {
    return { value: compiled.program.evaluate(values, budget) };
  } catch (error) {
    if (error instanceof CelError) {
      const errorType = error instanceof CelBudgetError ? 'out_of_budget' : 'invalid_error';
      return { error: `expression '${compiled.source}' resulted in error: ${error.message}`, errorType };
    }
    throw error;
  }
}

/** One line that says something; anything else is no message. */
function messageOf(result: ReturnType<typeof run>): string | undefined {
  if ('error' in result || typeof result.value !== 'string') return undefined;
  const text = result.value.trim();
  return text === '' || text.length > maxMessageLength || /[\n\r]/.test(text) ? undefined : text;
}
