import {
  compileErrorText,
  ExpressionCompiler,
  type ExpressionUse,
} from '../admission/expressions/expression-environment.js';
import { CelCompileError } from '../cel/errors.js';
import type { Variable } from '../../shared/api/generated/types.js';
import { invalid, type FieldError } from './field-error.js';

/** Checks the expressions of one policy, in the order in which they stand. */
export class ExpressionChecker {
  readonly #compiler: ExpressionCompiler;

  constructor(hasParams: boolean) {
    this.#compiler = new ExpressionCompiler(hasParams);
  }

  /** What follows may name the variable. */
  variable(variable: Variable, path: string): FieldError[] {
    return problems(variable.expression, path, () => this.#compiler.define(variable));
  }

  expression(expression: string, path: string, use: ExpressionUse): FieldError[] {
    return problems(expression, path, () => this.#compiler.compile(expression, use));
  }
}

function problems(expression: string, path: string, compile: () => unknown): FieldError[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (error instanceof CelCompileError) return [invalid(path, expression, compileErrorText(error))];
    throw error;
  }
}
