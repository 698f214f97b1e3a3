import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import type { JsonObject } from '../../../shared/api/json.js';
import { Budget } from '../../cel/budget.js';
import { CelEnvironment, type Program } from '../../cel/environment.js';
import { CelCompileError, CelError } from '../../cel/errors.js';
import { authorizerValue } from '../../cel/functions/authorizer.js';
import { fromJson } from '../../cel/json-values.js';
import { dynType, opaqueType, resultTypeName, type CelType } from '../../cel/types.js';
import {
  CelDuration,
  CelList,
  CelMap,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  type CelValue,
} from '../../cel/values.js';
import { celTypeOf } from '../../extension/cel-type.js';
import type { Schema } from '../../extension/schema.js';

import type { Oracle } from './oracle.js';

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer' };
/** The variables of every expression, by name. */
const properties: Readonly<Record<string, Schema>> = {
  i: whole,
  j: whole,
  d: { type: 'number' },
  b: { type: 'boolean' },
  s: text,
  t: text,
  ts: { type: 'string', format: 'date-time' },
  du: { type: 'string', format: 'duration' },
  by: { type: 'string', format: 'byte' },
  ios: { 'x-kubernetes-int-or-string': true },
  li: { type: 'array', items: whole },
  ls: { type: 'array', items: text },
  m: { type: 'object', additionalProperties: text },
  o: {
    type: 'object',
    properties: {
      name: text,
      missing: text,
      namespace: text,
      inner: { type: 'object', properties: { flag: { type: 'boolean' } } },
    },
  },
  ol: { type: 'array', items: { type: 'object', properties: { name: text, value: whole } } },
  x: {},
};
const values: JsonObject = {
  i: 1,
  j: 7,
  d: 1.5,
  b: true,
  s: 'hello',
  t: 'ell',
  ts: '2024-02-29T12:34:56Z',
  du: '90m',
  by: 'YWJj',
  ios: 1,
  li: [1, 2, 3],
  ls: ['a', 'b'],
  m: { a: '1', b: '2' },
  o: { name: 'x', inner: { flag: true } },
  ol: [
    { name: 'one', value: 1 },
    { name: 'two', value: 2 },
  ],
  x: { a: { b: { c: 1 } }, 'a-b': 1, 'a.b/c': 2, list: [{ name: 'y' }], n: 1, f: 1.5 },
};

/** What became of an expression. */
export interface Outcome {
  readonly refused?: string;
  readonly type?: string;
  readonly value?: string;
  readonly failed?: string;
  readonly cost?: number;
}

/** The expression language against cel-go in the environment of Kubernetes. */
export function celSuite(oracle: () => Oracle): void {
  const ours = new Evaluator();
  it('expressions have the same type, value, error and cost', async () => {
    const wrong: unknown[] = [];
    for (const expression of readExpressions()) {
      const theirs = await askOracle(oracle(), expression);
      const mine = ours.evaluate(expression);
      if (!isSame(mine, theirs)) wrong.push({ expression, mine, theirs });
    }
    assert.deepEqual(wrong, []);
  });
}

/** What Go's readers of addresses, networks and versions say is shortened here. */
const shortened =
  /ParseAddr|netip\.|Invalid character|(Major|Minor|Patch) |PreRelease version|invalid URI for request"\]$/;

/** Costs are another matter: here they bound the time that others wait. */
export function isSame({ cost: _mine, ...a }: Outcome, { cost: _theirs, ...b }: Outcome): boolean {
  if (/Syntax error|unable to unescape|invalid unicode/.test(b.refused ?? '')) return a.refused !== undefined;
  if (shortened.test(b.failed ?? b.value ?? '')) return (a.failed === undefined) === (b.failed === undefined);
  return JSON.stringify(a) === JSON.stringify(b);
}

export async function askOracle(oracle: Oracle, expression: string): Promise<Outcome> {
  const answer = (await oracle.ask({
    ask: 'cel',
    expression,
    schema: { type: 'object', properties },
    values,
  })) as Outcome & { error?: string };
  assert.equal(answer.error, undefined, expression);
  const { refused, type, value, failed, cost } = answer;
  if (refused !== undefined) return { refused };
  return failed === undefined ? { type, value, cost } : { type, failed, cost };
}

export class Evaluator {
  readonly #environment: CelEnvironment;
  readonly #types: ReadonlyMap<string, CelType>;

  constructor() {
    this.#types = new Map(Object.entries(properties).map(([name, schema]) => [name, typeOf(name, schema)]));
    this.#environment = new CelEnvironment({
      variables: {
        ...Object.fromEntries(this.#types),
        authorizer: opaqueType('kubernetes.authorization.Authorizer'),
      },
    });
  }

  evaluate(expression: string): Outcome {
    const limit = 1_000_000;
    const budget = new Budget(limit);
    let program: Program;
    try {
      program = this.#environment.compile(expression);
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      return { refused: error.message };
    }
    const type = resultTypeName(program.type);
    const given = Object.fromEntries(
      [...this.#types].map(([name, known]): [string, CelValue] => [name, fromJson(values[name], known)]),
    );
    try {
      const value = program.evaluate({ ...given, authorizer: authorizerValue(decide) }, budget);
      return { type, value: describe(value), cost: limit - budget.left };
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return { type, failed: error.message, cost: limit - budget.left };
    }
  }
}

/** x is of any type, as objects are in policies. */
const typeOf = (name: string, schema: Schema): CelType =>
  (name === 'x' ? undefined : celTypeOf(schema, false, `schema.${name}`)) ?? dynType;

/** As the rules of cel.go. */
const decide: Parameters<typeof authorizerValue>[0] = (asked) => {
  const { verb, group = '', resource = '', subresource = '', namespace = '', name = '', path = '' } = asked;
  const user = asked.serviceAccount
    ? `system:serviceaccount:${asked.serviceAccount.namespace}:${asked.serviceAccount.name}`
    : 'alice';
  if (verb === 'fail') return { isAllowed: false, reason: '', error: 'no answer' };
  const reason = `${user} ${verb} ${group}/${resource}/${subresource}/${namespace} ${name} ${path}`;
  return { isAllowed: verb === 'get' || verb === 'list', reason };
};

/** As describe in cel.go. */
export function describe(value: CelValue): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return `double ${goExponent(value)}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof CelUint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (value instanceof CelTimestamp) return `timestamp ${secondsOf(value.nanos)}`;
  if (value instanceof CelDuration) return `duration ${value.nanos}`;
  if (value instanceof CelTypeValue) return `type ${value.name}`;
  if (value instanceof CelOptional) return value.value === undefined ? 'none' : `optional ${describe(value.value)}`;
  if (value instanceof CelList) return `[${[...value].map(describe).join(', ')}]`;
  if (value instanceof CelMap) {
    const shown = value.keys().map((key) => `${describe(key)}: ${describe(value.get(key) ?? null)}`);
    return `{${shown.sort().join(', ')}}`;
  }
  return value instanceof CelOpaque ? describeOpaque(value) : String(value);
}

/** Of what only its library understands: the type. */
const describeOpaque = (value: CelOpaque): string => value.typeName;

const secondsOf = (nanos: bigint): string => {
  const rest = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return `${(nanos - rest) / 1_000_000_000n}.${rest.toString().padStart(9, '0')}`;
};

function goExponent(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = ''] = (Object.is(value, -0) ? '-0e+0' : value.toExponential())
    .replace('-0e', '-0e')
    .split('e');
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

/** One expression a line, over every library and the variables above. */
export const readExpressions = (): string[] =>
  readFileSync('apiserver/testing/oracle/cel-expressions.txt', 'utf8').split('\n').filter(Boolean);
