import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { cloneJson, isObject, setField, type JsonObject } from '../../../shared/api/json.js';
import { StatusError } from '../../../shared/errors/status-error.js';
import type { MergeSchema } from '../../../shared/patch/merge-schema.js';
import { strategicMergePatch } from '../../../shared/patch/strategic-merge-patch.js';
import { MergeSchemas } from '../../patch/merge-schemas.js';
import { checkStructure, StructureError } from '../../schema/structure.js';
import type { AppliedKind } from './apply-suite.js';
import { configurationOf } from './arbitrary-configuration.js';
import type { Oracle } from './oracle.js';

interface Answer {
  readonly document?: JsonObject;
  readonly refused?: string;
  readonly error?: string;
}

/** The original has no answer where it finds no Go struct to look into: maps in maps, and values of any form. */
const withoutType =
  /^(merging an object in json but data type is not struct|unable to find api field in struct|expected slice or array)/;

/** A number from 0 to `below` - 1, the next of a sequence that fast-check shortens. */
type Choose = (below: number) => number;

/** Strategic merge patches against apimachinery's, along the Go types of every kind. */
export function strategicSuite(
  oracle: () => Oracle,
  kinds: readonly AppliedKind[],
  bounds: { readonly runs: number; readonly timeMs: number },
): void {
  const schemas = new MergeSchemas();
  it('patches with every directive make the same of an object, or are refused alike', async () => {
    for (const given of kinds) {
      const header = { apiVersion: given.apiVersion, kind: given.kind, metadata: { name: 'x' } };
      const { isKnown } = (await oracle().ask({ ask: 'known-kind', ...header })) as { isKnown: boolean };
      if (!isKnown) continue;
      const schema = schemas.of(given.type);
      const cases = fc.nat(3).chain((seed) => {
        const object = (isApplied: boolean): fc.Arbitrary<JsonObject> =>
          configurationOf(given.type, header, { seed, isApplied, isCustom: false });
        return fc.record({ document: object(false), patch: object(true), choices: fc.array(fc.nat(9_999)) });
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ document, patch, choices }) => {
          let next = 0;
          const choose: Choose = (below) => (choices[next++ % Math.max(choices.length, 1)] ?? 1) % below;
          const directed = withDirectives(patch, document, schema, choose) as JsonObject;
          await compare(oracle(), given, schema, document, directed);
        }),
        { numRuns: bounds.runs, interruptAfterTimeLimit: bounds.timeMs },
      );
    }
  });
}

async function compare(
  oracle: Oracle,
  given: AppliedKind,
  schema: MergeSchema,
  document: JsonObject,
  patch: JsonObject,
): Promise<void> {
  const { apiVersion, kind, type } = given;
  const { error, ...answer } = (await oracle.ask({ ask: 'strategic', apiVersion, kind, document, patch })) as Answer;
  // The original panics where items that have no merge key would have to be told apart, and at a null in front.
  if (error !== undefined) assert.match(error, /^panic: .*(uncomparable|unhashable|nil pointer)/);
  const ours = attempt(() => strategicMergePatch(cloneJson(document), cloneJson(patch), schema));
  const theirs = error ?? answer.refused;
  if (theirs !== undefined && withoutType.test(theirs)) return;
  const shown = `${kind}\n${JSON.stringify(document)}\n${JSON.stringify(patch)}\n${theirs ?? ''}\n${ours.refused ?? ''}`;
  assert.equal(ours.refused !== undefined, theirs !== undefined, shown);
  // What a patch leaves goes into the type: what only looks like a field, and nulls, are no part of that.
  const read = (object: JsonObject | undefined): unknown =>
    object && attempt(() => stripped(checkStructure(object, type).object) as JsonObject).document;
  assert.deepEqual(read(ours.document), read(answer.document), shown);
}

function attempt(run: () => JsonObject): { document?: JsonObject; refused?: string } {
  try {
    return { document: run() };
  } catch (error) {
    if (!(error instanceof StatusError || error instanceof StructureError)) throw error;
    return { refused: error.message };
  }
}

function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const name of Object.keys(value).sort())
    if (value[name] !== null && !name.startsWith('$')) setField(result, name, stripped(value[name]));
  return result;
}

/** The patch with directives here and there: sensible ones mostly, about what the document has. */
function withDirectives(patch: unknown, document: unknown, schema: MergeSchema | undefined, choose: Choose): unknown {
  if (!isObject(patch)) return patch;
  const result: JsonObject = {};
  for (const name of Object.keys(patch)) {
    const inner = schema?.field(name);
    const is = isObject(document) ? document[name] : undefined;
    const given = patch[name];
    if (Array.isArray(given)) {
      const items = Array.isArray(is) ? (is as unknown[]) : [];
      setFieldsOfList(result, name, { given, items, schema: inner }, choose);
    } else setField(result, name, withDirectives(given, is, inner, choose));
  }
  switch (choose(24)) {
    case 0:
      return { ...result, $patch: choose(4) === 0 ? 'merge' : choose(2) === 0 ? 'replace' : 'delete' };
    case 1:
    case 2: {
      const known = [...Object.keys(result), ...(isObject(document) ? Object.keys(document) : [])];
      const names = known.filter((name) => !name.startsWith('$') && choose(12) !== 0);
      return { ...result, $retainKeys: choose(20) === 0 ? 'a' : names };
    }
    default:
      return result;
  }
}

interface ListField {
  readonly given: readonly unknown[];
  readonly items: readonly unknown[];
  readonly schema: MergeSchema | undefined;
}

function setFieldsOfList(into: JsonObject, name: string, { given, items, schema }: ListField, choose: Choose): void {
  const mergeKey = schema?.mergeKey;
  const list = given.map((item) => {
    const same = items.find(
      (each) => isObject(each) && isObject(item) && keyOf(each, mergeKey) === keyOf(item, mergeKey),
    );
    return withDirectives(item, same, schema, choose);
  });
  if (mergeKey !== undefined && choose(4) === 0) {
    const gone = items.filter(() => choose(2) === 0);
    const made = gone.map((item) => ({ [mergeKey]: keyOf(item, mergeKey), $patch: 'delete' }));
    list.splice(choose(list.length + 1), 0, ...made);
  }
  if (mergeKey !== undefined && choose(12) === 0) list.push({ $patch: choose(6) === 0 ? 'merge' : 'replace' });
  if (choose(30) === 0) list.push(null);
  if (choose(12) !== 0) setField(into, name, list);
  const isOrdered = choose(3) === 0;
  if (mergeKey === undefined && choose(4) === 0) {
    const gone = items.filter(() => choose(2) === 0);
    // The original deletes before or after it merges, as it comes, but for lists with an order.
    const isSure =
      gone.length > 0 &&
      [...gone, ...list].every((item) => typeof item === 'string') &&
      !gone.some((item) => list.includes(item));
    if (isOrdered || isSure) into[`$deleteFromPrimitiveList/${name}`] = isOrdered && choose(20) === 0 ? null : gone;
  }
  if (!isOrdered) return;
  const all = [...given, ...items.filter(() => choose(3) !== 0)];
  const order = unique(mergeKey === undefined ? all : all.map((item) => ({ [mergeKey]: keyOf(item, mergeKey) })));
  into[`$setElementOrder/${name}`] = choose(20) === 0 ? 'a' : choose(3) === 0 ? shuffled(order, choose) : order;
}

const keyOf = (item: unknown, key = ''): unknown => (isObject(item) ? item[key] : undefined);
const unique = (items: readonly unknown[]): unknown[] => [
  ...new Map(items.map((item) => [JSON.stringify(item), item])).values(),
];

function shuffled(items: readonly unknown[], choose: Choose): unknown[] {
  const rest = [...items];
  return items.map(() => rest.splice(choose(rest.length), 1)[0]);
}
