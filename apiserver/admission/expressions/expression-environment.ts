import { userInfoType } from '../../authentication/claim-expressions.js';
import { CelEnvironment, kubernetesFunctions, ResultTypeError, type Program } from '../../cel/environment.js';
import { CelCompileError, CelProgramError } from '../../cel/errors.js';
import { define } from '../../cel/functions.js';
import {
  boolType,
  dynType,
  listType,
  mapType,
  objectType,
  opaqueType,
  resultTypeName,
  stringType,
  type CelType,
} from '../../cel/types.js';
import type { Variable } from '../../../shared/api/generated/types.js';

/** What an expression is for: that decides what it may name and what it must become. */
export type ExpressionUse =
  'matchCondition' | 'variable' | 'validation' | 'message' | 'auditAnnotation' | 'applyConfiguration' | 'jsonPatch';

const namesOf = (what: string, third: string): CelType =>
  objectType(`kubernetes.${what}`, [
    ['group', stringType],
    ['version', stringType],
    [third, stringType],
  ]);
const kindType = namesOf('GroupVersionKind', 'kind');
const resourceType = namesOf('GroupVersionResource', 'resource');

/** The variable `request`: what a webhook would be told, without the objects. */
export const requestType: CelType = objectType('kubernetes.AdmissionRequest', [
  ['kind', kindType],
  ['resource', resourceType],
  ['subResource', stringType],
  ['requestKind', kindType],
  ['requestResource', resourceType],
  ['requestSubResource', stringType],
  ['name', stringType],
  ['namespace', stringType],
  ['operation', stringType],
  ['userInfo', userInfoType],
  ['dryRun', boolType],
  ['options', dynType],
]);

const metadataType = objectType('kubernetes.NamespaceMetadata', [
  ['name', stringType],
  ['generateName', stringType],
  ['namespace', stringType],
  ['uid', stringType],
  ['resourceVersion', stringType],
  ['generation', dynType],
  ['creationTimestamp', { kind: 'timestamp' }],
  ['deletionTimestamp', { kind: 'timestamp' }],
  ['deletionGracePeriodSeconds', dynType],
  ['labels', mapType(stringType, stringType)],
  ['annotations', mapType(stringType, stringType)],
]);
/** The variable `namespaceObject`. */
export const namespaceType: CelType = objectType('kubernetes.Namespace', [
  ['metadata', metadataType],
  ['spec', objectType('kubernetes.NamespaceSpec', [['finalizers', listType(stringType)]])],
  ['status', objectType('kubernetes.NamespaceStatus', [['phase', stringType]])],
]);

const patchType = objectType('JSONPatch', [
  ['op', stringType],
  ['path', stringType],
  ['from', stringType],
  ['value', dynType],
]);

const patchFunctions = [
  define('::jsonpatch.escapeKey(string) -> string', (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
];

/** Objects that mutations may make: `JSONPatch{...}`, `Object{...}`, `Object.spec{...}`. Fields are checked when applied. */
const mutationTypes = (name: string): CelType | undefined => {
  if (name === 'JSONPatch') return patchType;
  return name === 'Object' || name.startsWith('Object.') ? dynType : undefined;
};

/** What is known of the objects beforehand; anything where nothing is. */
export interface ObjectTypes {
  readonly object?: CelType;
  readonly params?: CelType;
}

function environmentOf(
  hasParams: boolean,
  use: ExpressionUse,
  variables: CelType,
  { object = dynType, params = dynType }: ObjectTypes,
): CelEnvironment {
  const isMutation = use === 'applyConfiguration' || use === 'jsonPatch';
  const asksAuthorizer = use !== 'message';
  return new CelEnvironment(
    {
      variables: {
        object,
        oldObject: object,
        request: requestType,
        namespaceObject: namespaceType,
        ...(hasParams ? { params } : {}),
        ...(use === 'matchCondition' ? {} : { variables }),
        ...(asksAuthorizer
          ? {
              authorizer: opaqueType('kubernetes.authorization.Authorizer'),
              'authorizer.requestResource': opaqueType('kubernetes.authorization.ResourceCheck'),
            }
          : {}),
      },
      ...(isMutation ? { structType: mutationTypes } : {}),
    },
    kubernetesFunctions(isMutation ? patchFunctions : []),
  );
}

/** Compiles the expressions of one policy or webhook. Environments are made once for each use. */
export class ExpressionCompiler {
  readonly #hasParams: boolean;
  readonly #types: ObjectTypes;
  readonly #environments = new Map<ExpressionUse, CelEnvironment>();
  /** Grows: an expression may name the variables that stand before it. */
  readonly #fields = new Map<string, CelType>();
  readonly #variables: CelType = { kind: 'object', name: 'kubernetes.variables', fields: this.#fields };
  /** The variables that could be compiled, in their order. */
  readonly variables: { readonly name: string; readonly program: Program }[] = [];

  constructor(hasParams: boolean, types: ObjectTypes = {}) {
    this.#hasParams = hasParams;
    this.#types = types;
  }

  /** Adds `variables.NAME`. Throws a CelCompileError; the variable is of any type then. */
  define({ name, expression }: Variable): void {
    let type: CelType = dynType;
    try {
      const program = this.compile(expression, 'variable');
      this.variables.push({ name, program });
      ({ type } = program);
    } finally {
      this.#fields.set(name, type);
    }
  }

  /** Throws a CelCompileError. */
  compile(expression: string, use: ExpressionUse): Program {
    const environment =
      this.#environments.get(use) ?? environmentOf(this.#hasParams, use, this.#variables, this.#types);
    this.#environments.set(use, environment);
    const program = environment.compile(expression, expectedKinds[use]);
    const { type } = program;
    if (use === 'auditAnnotation' && !['string', 'null', 'dyn'].includes(type.kind)) {
      throw new ResultTypeError(type, 'string');
    }
    if (use === 'applyConfiguration' && type.kind !== 'dyn') {
      throw new ObjectTypeError(type);
    }
    return program;
  }
}

const expectedKinds: Readonly<Record<ExpressionUse, CelType['kind'] | undefined>> = {
  matchCondition: 'bool',
  validation: 'bool',
  message: 'string',
  jsonPatch: 'list',
  variable: undefined,
  auditAnnotation: undefined,
  applyConfiguration: undefined,
};

class ObjectTypeError extends CelCompileError {
  constructor(type: CelType) {
    super('', []);
    this.message = `must evaluate to Object but got ${resultTypeName(type)}`;
  }
}

/** As validation reports it. */
export function compileErrorText(error: CelCompileError): string {
  const isType = [ResultTypeError, ObjectTypeError, CelProgramError].some((kind) => error instanceof kind);
  return isType ? error.message : `compilation failed: ${error.message}`;
}
