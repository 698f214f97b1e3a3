import type { MatchCondition } from '../../../shared/api/generated/types.js';
import { Budget, matchConditionsCostLimit } from '../../cel/budget.js';
import type { Program, VariableValues } from '../../cel/environment.js';
import { CelCompileError, CelError } from '../../cel/errors.js';
import { forbidden } from '../../registry/status-errors.js';
import type { Authorizer } from '../../authorization/authorizer.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import type { AdmissionRequest } from '../admission.js';
import type { MatchConditions } from '../matching/match-conditions.js';
import type { Reviewed } from '../matching/reviewed.js';
import { compileErrorText, ExpressionCompiler } from './expression-environment.js';
import { withDecisions } from './decisions.js';
import { expressionValues } from './expression-values.js';

/** What conditions say: all hold, one does not, or nobody knows. */
export type ConditionsResult = 'match' | 'noMatch' | { readonly error: string };

type Compiled = readonly { readonly name: string; readonly program: Program | string }[];

/** Compiles conditions; what cannot be compiled is an error when it is evaluated. */
export function compileConditions(conditions: readonly MatchCondition[], hasParams: boolean): Compiled {
  const compiler = new ExpressionCompiler(hasParams);
  return conditions.map(({ name, expression }) => {
    try {
      return { name, program: compiler.compile(expression, 'matchCondition') };
    } catch (error) {
      if (error instanceof CelCompileError) return { name, program: compileErrorText(error) };
      throw error;
    }
  });
}

/** One condition that does not hold decides, whatever goes wrong with the others. */
export function evaluateConditions(compiled: Compiled, values: VariableValues): ConditionsResult {
  const budget = new Budget(matchConditionsCostLimit);
  const errors: string[] = [];
  for (const { program } of compiled) {
    if (typeof program === 'string') {
      errors.push(program);
      continue;
    }
    try {
      if (program.evaluate(values, budget) !== true) return 'noMatch';
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      errors.push(`expression '${program.source}' resulted in error: ${error.message}`);
    }
  }
  if (errors.length === 0) return 'match';
  return { error: errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]` };
}

/** Whom conditions may ask. */
export interface ConditionSources {
  readonly objects: ObjectReader;
  readonly authorizer: Pick<Authorizer, 'authorize'>;
}

/** The matchConditions of webhooks, compiled once for each stored configuration. */
export class CelMatchConditions implements MatchConditions {
  readonly #given: ConditionSources;
  readonly #compiled = new WeakMap<readonly MatchCondition[], Compiled>();

  constructor(given: ConditionSources) {
    this.#given = given;
  }

  match(
    conditions: readonly MatchCondition[],
    failurePolicy: string | undefined,
    request: AdmissionRequest,
    reviewed: Reviewed,
  ): boolean | Promise<boolean> {
    let compiled = this.#compiled.get(conditions);
    if (!compiled) {
      compiled = compileConditions(conditions, false);
      this.#compiled.set(conditions, compiled);
    }
    const { objects, authorizer } = this.#given;
    const known = compiled;
    return withDecisions(authorizer, (decisions) => {
      const result = evaluateConditions(known, expressionValues(request, reviewed, { objects, decisions }));
      if (typeof result === 'string') return result === 'match';
      if (failurePolicy === 'Ignore') return false;
      throw forbidden(request.definition.resource, request.name, result.error);
    });
  }
}
