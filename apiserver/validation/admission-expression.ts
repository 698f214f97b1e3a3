import type { CheckPolicyExpression } from './admission-policy.js';
import type { FieldError } from './field-error.js';

/** Compiles a matchCondition of a webhook. */
export const checkCondition = (expression: string, path: string): FieldError[] =>
  checkPolicyExpression(expression, path, 'matchCondition', { hasParams: false, variables: [] });

/** Compiles an expression of a policy. */
export const checkPolicyExpression: CheckPolicyExpression = () => [];
