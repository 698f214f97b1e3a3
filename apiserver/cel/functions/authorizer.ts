import { isDns1123Label, isDns1123Subdomain } from '../../validation/names.js';
import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import { CelOpaque, type CelValue } from '../values.js';

/** What an expression asks the authorizer. */
export interface AccessQuestion {
  readonly verb: string;
  /** Of a path outside the resources. */
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** `NAMESPACE/NAME` of another account than the one that makes the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

export interface AccessAnswer {
  readonly isAllowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

type Ask = (question: AccessQuestion) => AccessAnswer;
type TypeName = 'Authorizer' | 'PathCheck' | 'GroupCheck' | 'ResourceCheck';

/** The question so far, and whom to ask. */
class Check extends CelOpaque {
  readonly typeName: string;
  readonly question: Omit<AccessQuestion, 'verb'>;
  readonly ask: Ask;

  constructor(name: TypeName, ask: Ask, question: Omit<AccessQuestion, 'verb'>) {
    super();
    this.typeName = `kubernetes.authorization.${name}`;
    this.ask = ask;
    this.question = question;
  }

  with(name: TypeName, more: Omit<AccessQuestion, 'verb'>): Check {
    return new Check(name, this.ask, { ...this.question, ...more });
  }

  equals(other: CelValue): boolean {
    return this === other;
  }
}

class DecisionValue extends CelOpaque {
  readonly typeName = 'kubernetes.authorization.Decision';
  readonly answer: AccessAnswer;

  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }

  equals(other: CelValue): boolean {
    return this === other;
  }
}

/** The value of the variable `authorizer`. */
export const authorizerValue = (ask: Ask): CelOpaque => new Check('Authorizer', ask, {});

/** The value of `authorizer.requestResource`: a check of what the request itself is about. */
export const requestResourceValue = (ask: Ask, question: Omit<AccessQuestion, 'verb'>): CelOpaque =>
  new Check('ResourceCheck', ask, question);

function named(text: string, what: string): string {
  if (text === '') throw new CelError(`${what} must not be empty`);
  return text;
}

/** As the original counts. */
const askCost = (): number => 350_000;
const decide = (check: Check, verb: string): DecisionValue => new DecisionValue(check.ask({ ...check.question, verb }));

/** Kubernetes' library of authorization: a question is put together, then asked. */
export const authorizerFunctions: readonly Overload[] = [
  define(
    'authorizer.path(string) -> pathCheck',
    (check: Check, path: string) => check.with('PathCheck', { path: named(path, 'path') }),
    constant,
  ),
  define(
    'authorizer.group(string) -> groupCheck',
    (check: Check, group: string) => check.with('GroupCheck', { group }),
    constant,
  ),
  define(
    'authorizer.serviceAccount(string, string) -> authorizer',
    (check: Check, namespace: string, name: string) => {
      if (isDns1123Subdomain(name).length > 0) throw new CelError('Invalid service account name');
      if (isDns1123Label(namespace).length > 0) throw new CelError('Invalid service account namespace');
      return check.with('Authorizer', { serviceAccount: { namespace, name } });
    },
    constant,
  ),
  define(
    'groupCheck.resource(string) -> resourceCheck',
    (check: Check, resource: string) => check.with('ResourceCheck', { resource: named(resource, 'resource') }),
    constant,
  ),
  ...(['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const).map((field) =>
    define(
      `resourceCheck.${field}(string) -> resourceCheck`,
      (check: Check, value: string) => check.with('ResourceCheck', { [field]: value }),
      constant,
    ),
  ),
  define('pathCheck.check(string) -> decision', decide, askCost),
  define('resourceCheck.check(string) -> decision', decide, askCost),
  define('decision.allowed() -> bool', ({ answer }: DecisionValue) => answer.isAllowed, constant),
  define('decision.reason() -> string', ({ answer }: DecisionValue) => answer.reason, constant),
  define('decision.errored() -> bool', ({ answer }: DecisionValue) => answer.error !== undefined, constant),
  define('decision.error() -> string', ({ answer }: DecisionValue) => answer.error ?? '', constant),
];
