import type { MutatingAdmissionPolicy, Mutation } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { Budget, requestCostLimit } from '../../cel/budget.js';
import type { Program, VariableValues } from '../../cel/environment.js';
import { CelCompileError, CelError } from '../../cel/errors.js';
import { toJson } from '../../cel/json-values.js';
import { CelList, StructValue } from '../../cel/values.js';
import { compileConditions, evaluateConditions } from '../expressions/cel-match-conditions.js';
import { compileErrorText, ExpressionCompiler } from '../expressions/expression-environment.js';
import { withVariables } from '../expressions/expression-values.js';

/** Why a mutation cannot be made. */
export class MutationError extends Error {
  override readonly name = 'MutationError';
}

/** What a mutation wants to be changed. */
export type MutationPatch =
  | { readonly type: 'json'; readonly operations: readonly unknown[] }
  | { readonly type: 'merge'; readonly object: Readonly<Record<string, unknown>> };

/** Throws a {@link MutationError}. */
export type RunMutation = (values: VariableValues, variables: ExpressionCompiler['variables']) => MutationPatch;

/** A MutatingAdmissionPolicy, ready to be run. */
export class CompiledMutation {
  readonly isReinvocable: boolean;
  readonly mutations: readonly RunMutation[];
  readonly #compiler: ExpressionCompiler;
  readonly #conditions: ReturnType<typeof compileConditions>;

  constructor({ spec }: MutatingAdmissionPolicy & KubernetesObject) {
    const hasParams = spec.paramKind !== undefined;
    this.isReinvocable = spec.reinvocationPolicy === 'IfNeeded';
    this.#compiler = new ExpressionCompiler(hasParams);
    this.#conditions = compileConditions(spec.matchConditions ?? [], hasParams);
    for (const variable of spec.variables ?? []) {
      try {
        this.#compiler.define(variable);
      } catch (error) {
        // Whatever uses it fails.
        if (!(error instanceof CelCompileError)) throw error;
      }
    }
    this.mutations = (spec.mutations ?? []).map((mutation) => this.#compile(mutation));
  }

  get variables(): ExpressionCompiler['variables'] {
    return this.#compiler.variables;
  }

  /** Throws a {@link MutationError} where nobody knows. */
  matches(values: VariableValues): boolean {
    const result = evaluateConditions(this.#conditions, values);
    if (typeof result === 'string') return result === 'match';
    throw new MutationError(result.error);
  }

  #compile({ patchType, applyConfiguration, jsonPatch }: Mutation): RunMutation {
    const isJson = patchType === 'JSONPatch';
    const source = (isJson ? jsonPatch?.expression : applyConfiguration?.expression) ?? '';
    let program: Program;
    try {
      program = this.#compiler.compile(source, isJson ? 'jsonPatch' : 'applyConfiguration');
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      const why = compileErrorText(error);
      return () => {
        throw new MutationError(why);
      };
    }
    return (values, variables) => {
      const budget = new Budget(requestCostLimit);
      try {
        const value = program.evaluate(withVariables(values, variables, budget), budget);
        return isJson ? jsonOf(value) : mergeOf(value);
      } catch (error) {
        if (error instanceof CelError) {
          throw new MutationError(`expression '${source}' resulted in error: ${error.message}`);
        }
        throw error;
      }
    };
  }
}

function jsonOf(value: unknown): MutationPatch {
  if (!(value instanceof CelList)) throw new MutationError('type mismatch: JSONPatchType should evaluate to array');
  const operations = [...value].map((one) => {
    if (!(one instanceof StructValue) || one.typeName !== 'JSONPatch') {
      throw new MutationError('type mismatch: a JSON patch is a list of JSONPatch objects');
    }
    return toJson(one);
  });
  return { type: 'json', operations };
}

function mergeOf(value: unknown): MutationPatch {
  if (value instanceof StructValue && value.typeName === 'Object') {
    return { type: 'merge', object: toJson(value) as Readonly<Record<string, unknown>> };
  }
  throw new MutationError('type mismatch: an apply configuration must evaluate to Object');
}
