import { childrenOf, type Call, type Expression } from './ast.js';
import { CelProgramError, type Issue } from './errors.js';
import { clausesOf, clauseRule } from './functions/format.js';
import { compileRegex } from './functions/regex.js';
import { parseDuration, parseTimestamp } from './time-values.js';
import { resultTypeName, type CelType } from './types.js';
import type { CelValue } from './values.js';

/** What is wrong with the texts that an expression gives to functions that read them. */
export function literalIssues(expression: Expression, types: ReadonlyMap<Expression, CelType>): Issue[] {
  const issues: Issue[] = [];
  for (const level of levels(expression))
    for (const found of level)
      if (found.kind === 'call')
        issues.push(...(found.function === 'format' ? formatIssues(found, types) : issuesOf(found)));
  return issues;
}

/** What is wrong between a template and the list of what goes into it, where both are there to see. */
function formatIssues({ target, arguments: [list], offset }: Call, types: ReadonlyMap<Expression, CelType>): Issue[] {
  if (target?.kind !== 'literal' || typeof target.value !== 'string' || list?.kind !== 'list') return [];
  const { clauses, problem } = clausesOf(target.value);
  const { elements } = list;
  for (const [index, verb] of clauses.entries()) {
    const given = elements[index]?.value;
    if (!given) return [{ offset, message: `index ${index} out of range` }];
    const type = types.get(given);
    const rule = type && type.kind !== 'dyn' ? clauseRule(verb, type.kind) : undefined;
    if (type && rule !== undefined) {
      const message = `error during formatting: ${rule}, was given ${formatTypeName(type)}`;
      return [{ offset: given.offset, message }];
    }
  }
  if (problem !== undefined) return [{ offset, message: problem }];
  if (elements.length <= clauses.length) return [];
  const counts = `expected ${clauses.length}, got ${elements.length}`;
  return [{ offset, message: `too many arguments supplied to string.format (${counts})` }];
}

const formatTypeName = (type: CelType): string =>
  type.kind === 'opaque' ? type.name : resultTypeName(type).replace(/\(.*/, '');

/** Level by level, as deep as the tree goes. */
function* levels(expression: Expression): Generator<readonly Expression[]> {
  for (let level: readonly Expression[] = [expression]; level.length > 0; level = level.flatMap(childrenOf))
    yield level;
}

function issuesOf({ function: name, target, arguments: list }: Call): Issue[] {
  const isRegex = name === 'matches';
  const argument = isRegex ? list.at(-1) : list[0];
  if (argument?.kind !== 'literal' || typeof argument.value !== 'string') return [];
  if (!isRegex && (target !== undefined || list.length !== 1)) return [];
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (!reader || reader(argument.value)) return [];
  return [{ offset: argument.offset, message: `invalid ${name} argument` }];
}

const readers: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => text.includes('T') && parseTimestamp(text) !== undefined,
  matches: (text) => attempt(() => compileRegex(text)) === undefined,
};

function attempt(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const conversions = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint']);
const expressionFunctions = new Set(['find', 'findAll']);

/** Whether a call turns a constant into another: that is done once, before anything runs. */
export const isConstantConversion = ({ function: name, target, arguments: list }: Call): boolean =>
  target === undefined && list.length === 1 && list[0]?.kind === 'literal' && conversions.has(name);

/** Runs what can only fail. @throws CelProgramError */
export function foldConstant(run: () => CelValue): CelValue {
  try {
    return run();
  } catch (error) {
    throw new CelProgramError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws CelProgramError where a constant regular expression is none */
export function checkConstantRegex({ function: name, arguments: list }: Call): void {
  const [given] = list;
  if (!expressionFunctions.has(name) || given?.kind !== 'literal' || typeof given.value !== 'string') return;
  const { value } = given;
  const problem = attempt(() => compileRegex(value));
  if (problem !== undefined) throw new CelProgramError(problem);
}
