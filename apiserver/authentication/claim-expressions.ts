import { childrenOf, type Expression } from '../cel/ast.js';
import { CelEnvironment, ResultTypeError, type Program } from '../cel/environment.js';
import { CelCompileError } from '../cel/errors.js';
import { parseExpression } from '../cel/parser.js';
import { dynType, listType, mapType, objectType, stringType, type CelType } from '../cel/types.js';

/** The variable `claims`: what the token says. */
export const claimsType: CelType = mapType(stringType, dynType);

/** Who asks, as expressions see him. */
export const userInfoType: CelType = objectType('kubernetes.UserInfo', [
  ['username', stringType],
  ['uid', stringType],
  ['groups', listType(stringType)],
  ['extra', mapType(stringType, listType(stringType))],
]);

/** Compiles the expressions of an AuthenticationConfiguration. */
export class ClaimExpressions {
  readonly #claims = new CelEnvironment({ variables: { claims: claimsType } });
  readonly #user = new CelEnvironment({ variables: { user: userInfoType } });

  /** The program, or what is wrong with the expression. */
  mapping(expression: string): Program | string {
    return compiled(() => this.#claims.compile(expression));
  }

  claimRule(expression: string): Program | string {
    return compiled(() => asRule(this.#claims.compile(expression)));
  }

  userRule(expression: string): Program | string {
    return compiled(() => asRule(this.#user.compile(expression)));
  }
}

/** Unlike rules of admission these must be known to be true or false: a claim may be anything. */
function asRule(program: Program): Program {
  if (program.type.kind !== 'bool') throw new ResultTypeError(program.type, 'bool');
  return program;
}

function compiled(compile: () => Program): Program | string {
  try {
    return compile();
  } catch (error) {
    if (error instanceof ResultTypeError) return error.message;
    if (error instanceof CelCompileError) return `compilation failed: ${error.message}`;
    throw error;
  }
}

/** Whether an expression that could be compiled names `claims.FIELD`. */
export function usesClaim({ source }: Program, field: string): boolean {
  const uses = (expression: Expression): boolean =>
    (expression.kind === 'select' &&
      expression.field === field &&
      expression.operand.kind === 'identifier' &&
      expression.operand.name === 'claims') ||
    childrenOf(expression).some(uses);
  return uses(parseExpression(source));
}
