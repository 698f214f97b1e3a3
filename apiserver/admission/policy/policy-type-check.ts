import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../../shared/api/generated/types.js';
import type { Resource } from '../../../shared/api/resource.js';
import { ResultTypeError } from '../../cel/environment.js';
import { CelCompileError } from '../../cel/errors.js';
import type { CelType } from '../../cel/types.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import type { StructType } from '../../schema/schema-type.js';
import { ExpressionCompiler, type ExpressionUse } from '../expressions/expression-environment.js';
import { celTypeOf } from '../expressions/schema-types.js';

/** As many kinds are looked at as in the original. */
const maxKinds = 10;

/**
 * Which expressions of a policy do not fit the types of the kinds that it matches by name, as its status tells. The policy
 * works nevertheless: other kinds, and objects of unknown structure, may fit.
 */
export function typeWarnings(
  { spec }: ValidatingAdmissionPolicy,
  definitions: readonly ResourceDefinition[],
  structure: (definition: string) => StructType,
): ExpressionWarning[] {
  const expressions = (spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
    { fieldRef: `spec.validations[${index}].expression`, source: expression, use: 'validation' as const },
    ...(messageExpression
      ? [
          {
            fieldRef: `spec.validations[${index}].messageExpression`,
            source: messageExpression,
            use: 'message' as const,
          },
        ]
      : []),
  ]);
  const typeOf = ({ definition }: Resource): CelType | undefined =>
    definition === undefined ? undefined : celTypeOf(structure(definition), 'Object');
  const paramKind = definitions.find(
    ({ resource }) => resource.apiVersion === spec.paramKind?.apiVersion && resource.kind === spec.paramKind.kind,
  );
  const params = paramKind && typeOf(paramKind.resource);
  const compilers = kindsOf(spec, definitions).flatMap((resource) => {
    const object = typeOf(resource);
    if (!object) return [];
    const compiler = new ExpressionCompiler(spec.paramKind !== undefined, { object, ...(params ? { params } : {}) });
    for (const variable of spec.variables ?? []) problemOf(() => compiler.define(variable));
    return [{ resource, compiler }];
  });
  return expressions.flatMap(({ fieldRef, source, use }) => {
    const problems = compilers.flatMap(({ resource, compiler }) => check(resource, compiler, source, use));
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join('\n') }];
  });
}

function check(resource: Resource, compiler: ExpressionCompiler, source: string, use: ExpressionUse): string[] {
  const problem = problemOf(() => compiler.compile(source, use));
  return problem === undefined ? [] : [`${resource.apiVersion}, Kind=${resource.kind}: ${problem}`];
}

function problemOf(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return error instanceof ResultTypeError ? undefined : error.message;
  }
}

/** The kinds that the rules name; a star names none. */
function kindsOf(
  { matchConstraints }: ValidatingAdmissionPolicy['spec'],
  definitions: readonly ResourceDefinition[],
): readonly Resource[] {
  const found = new Map<string, Resource>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of matchConstraints?.resourceRules ?? []) {
    for (const { resource } of definitions) {
      const isNamed =
        apiGroups.includes(resource.group) &&
        apiVersions.includes(resource.version) &&
        resources.includes(resource.resource);
      if (isNamed) found.set(`${resource.apiVersion}/${resource.kind}`, resource);
    }
  }
  return [...found.values()].slice(0, maxKinds);
}
