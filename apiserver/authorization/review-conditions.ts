import { Budget, matchConditionsCostLimit } from '../cel/budget.js';
import { CelEnvironment, ResultTypeError, type Program } from '../cel/environment.js';
import { CelCompileError, CelError } from '../cel/errors.js';
import { fromJson } from '../cel/json-values.js';
import { listType, mapType, objectType, stringType, type CelType } from '../cel/types.js';
import type { Attributes } from './authorizer.js';
import { conditionRequest } from './review-spec.js';

const requirement = objectType('kubernetes.SelectorRequirement', [
  ['key', stringType],
  ['operator', stringType],
  ['values', listType(stringType)],
]);
const selector = (name: string): CelType =>
  objectType(name, [
    ['rawSelector', stringType],
    ['requirements', listType(requirement)],
  ]);
const texts = (...names: string[]): [string, CelType][] => names.map((name) => [name, stringType]);

/** The variable `request`: the spec of a SubjectAccessReview. */
const requestType = objectType('kubernetes.SubjectAccessReviewSpec', [
  [
    'resourceAttributes',
    objectType('kubernetes.ResourceAttributes', [
      ...texts('namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'),
      ['fieldSelector', selector('kubernetes.FieldSelectorAttributes')],
      ['labelSelector', selector('kubernetes.LabelSelectorAttributes')],
    ]),
  ],
  ['nonResourceAttributes', objectType('kubernetes.NonResourceAttributes', texts('path', 'verb'))],
  ...texts('user', 'uid'),
  ['groups', listType(stringType)],
  ['extra', mapType(stringType, listType(stringType))],
]);

/** Compiles the match conditions of authorizers. */
export class ConditionCompiler {
  readonly #environment = new CelEnvironment({ variables: { request: requestType } });

  /** The program, or what is wrong with the expression. */
  compile(expression: string): Program | string {
    try {
      const program = this.#environment.compile(expression, 'bool');
      if (program.type.kind !== 'bool') throw new ResultTypeError(program.type, 'bool');
      return program;
    } catch (error) {
      if (error instanceof ResultTypeError) return error.message;
      if (error instanceof CelCompileError) return `compilation failed: ${error.message}`;
      throw error;
    }
  }
}

/** What conditions say of a request: all hold, one does not, or nobody knows. */
export type Matched = 'match' | 'noMatch' | { readonly error: string };

/** One condition that does not hold decides, whatever goes wrong with the others. */
export function matchRequest(conditions: readonly Program[], attributes: Attributes): Matched {
  const budget = new Budget(matchConditionsCostLimit);
  const request = fromJson(conditionRequest(attributes), requestType);
  const errors: string[] = [];
  for (const condition of conditions) {
    try {
      if (condition.evaluate({ request }, budget) !== true) return 'noMatch';
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      errors.push(`cel evaluation error: expression '${condition.source}' resulted in error: ${error.message}`);
    }
  }
  if (errors.length === 0) return 'match';
  return { error: errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]` };
}
