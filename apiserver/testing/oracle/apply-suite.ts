import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../../shared/errors/status-error.js';
import { ownerKey, type ManagedFieldsEntry } from '../../apply/managed-fields.js';
import { type FieldSet } from '../../apply/field-set.js';
import { serverSideApply } from '../../apply/server-side-apply.js';
import { trackUpdate } from '../../apply/track-update.js';
import { itemElement } from '../../apply/list-items.js';
import { cloneJson, isObject, setField, type JsonObject } from '../../../shared/api/json.js';
import type { SchemaType, StructType } from '../../schema/schema-type.js';
import { checkStructure } from '../../schema/structure.js';
import { configurationOf } from './arbitrary-configuration.js';
import type { Oracle } from './oracle.js';

/** A kind under comparison. */
export interface AppliedKind {
  /** As the oracle's schema names it. */
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly type: StructType;
  /** A custom resource is no Go struct: fields that nobody sent are not there. */
  readonly isCustom: boolean;
}

type Step = { readonly manager: string; readonly object: JsonObject } & (
  { readonly verb: 'update' } | { readonly verb: 'apply'; readonly force: boolean }
);

interface OracleManager {
  readonly key: string;
  readonly apiVersion: string;
  readonly applied: boolean;
  readonly fields: FieldSet;
}
interface OracleAnswer {
  readonly error?: string;
  readonly object?: JsonObject;
  readonly managers?: readonly OracleManager[];
  readonly conflicts?: readonly { readonly key: string; readonly path: string }[];
}

/** What a write came to, in a form that can be compared. */
interface Outcome {
  readonly refused?: string;
  readonly conflicts?: readonly string[];
  readonly object?: JsonObject;
  readonly managers?: Readonly<Record<string, FieldSet>>;
}

/** Server-side apply and the tracking of updates against structured-merge-diff, which decides both in the original. */
export function applySuite(
  oracle: () => Oracle,
  kinds: readonly AppliedKind[],
  bounds: { readonly shapes: number; readonly runs: number; readonly timeMs: number },
): void {
  const stepsOf = (given: AppliedKind, seed: number): fc.Arbitrary<Step[]> => {
    const header = { apiVersion: given.apiVersion, kind: given.kind, metadata: { name: 'x' } };
    const manager = fc.constantFrom('m1', 'm2', 'm3');
    return fc.array(
      fc.oneof(
        fc.record({
          verb: fc.constant('update' as const),
          manager,
          object: configurationOf(given.type, header, { seed, isApplied: false, isCustom: given.isCustom }),
        }),
        fc.record({
          verb: fc.constant('apply' as const),
          manager,
          force: fc.boolean(),
          object: configurationOf(given.type, header, { seed, isApplied: true, isCustom: given.isCustom }),
        }),
      ),
      { minLength: 2, maxLength: 6 },
    );
  };
  for (const given of kinds) {
    it(`${given.apiVersion} ${given.kind}: who owns what, what conflicts, and what an apply makes of the object`, async () => {
      const shapes = Array.from({ length: bounds.shapes }, (_, seed) => stepsOf(given, seed));
      const cases = fc.oneof(...shapes);
      await fc.assert(
        fc.asyncProperty(cases, (steps) => compareSteps(oracle(), given, steps)),
        { numRuns: bounds.runs, interruptAfterTimeLimit: bounds.timeMs },
      );
    });
  }
}

async function compareSteps(oracle: Oracle, given: AppliedKind, steps: readonly Step[]): Promise<void> {
  let live: JsonObject | undefined;
  for (const [index, step] of steps.entries()) {
    const time = `2026-01-01T00:00:0${index}Z`;
    const theirs = await askOracle(oracle, given, live, step);
    const { next, outcome } = write(given, live, step, time);
    // Who refuses a configuration that is none has words of its own.
    if (outcome.refused !== undefined && theirs.refused !== undefined) continue;
    assert.deepEqual(outcome, theirs, `step ${index}: ${step.verb} by ${step.manager}`);
    live = next;
  }
}

const metadataOf = (object: JsonObject | undefined): JsonObject => (object?.['metadata'] ?? {}) as JsonObject;
const keyOf = (entry: ManagedFieldsEntry): string => ownerKey({ ...entry, subresource: entry.subresource ?? '' });

/** The write as our server does it. */
function write(
  given: AppliedKind,
  live: JsonObject | undefined,
  step: Step,
  time: string,
): { next: JsonObject | undefined; outcome: Outcome } {
  const { apiVersion, type } = given;
  const manager = { manager: step.manager, apiVersion, subresource: '', time };
  const keep = (object: JsonObject, managedFields: readonly ManagedFieldsEntry[]): JsonObject => {
    const whole = given.isCustom ? object : filled(object, type);
    return { ...whole, metadata: { ...metadataOf(whole), managedFields: cloneJson(managedFields) } };
  };
  try {
    if (step.verb === 'update') {
      const object = given.isCustom ? step.object : filled(checkStructure(step.object, type).object, type);
      const entries = trackUpdate(live, object, type, manager, ['status']);
      return { next: keep(object, entries), outcome: { managers: fieldsByKey(entries) } };
    }
    const options = { ...manager, force: step.force, resetFields: ['status'], isStoredAsSent: given.isCustom };
    const { object, managedFields } = serverSideApply(live, step.object, type, options);
    const next = keep(object, managedFields);
    return { next, outcome: { object: comparable(next, type), managers: fieldsByKey(managedFields) } };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.code !== 409) return { next: live, outcome: { refused: error.message } };
    const conflicts = (error.details?.causes ?? []).map(({ message, field }) => `${message}: ${field}`);
    return { next: live, outcome: { conflicts: conflicts.sort() } };
  }
}

const fieldsByKey = (entries: readonly ManagedFieldsEntry[]): Record<string, FieldSet> =>
  Object.fromEntries(
    entries.map((entry) => [keyOf(entry), sorted(entry.fieldsV1)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** The same write, asked of the libraries of the original. */
async function askOracle(
  oracle: Oracle,
  given: AppliedKind,
  live: JsonObject | undefined,
  step: Step,
): Promise<Outcome> {
  const { type, apiVersion } = given;
  const self = { manager: step.manager, subresource: '', apiVersion };
  const entries = (metadataOf(live)['managedFields'] ?? []) as readonly ManagedFieldsEntry[];
  const inGo = (object: JsonObject): JsonObject => (given.isCustom ? object : filled(object, type, null));
  const update = (): JsonObject => inGo(given.isCustom ? step.object : checkStructure(step.object, type).object);
  // An object that nobody tracks stays so until it is applied; what it had then goes to one manager.
  if (live && entries.length === 0) {
    if (step.verb === 'update') return { managers: {} };
    return askOracle(oracle, given, await beforeFirstApply(oracle, given, live), step);
  }
  const answer = (await oracle.ask({
    ask: step.verb,
    type: given.name,
    apiVersion,
    // What is not there yet is an empty object in Go.
    live: inGo(live ? withoutManagedFields(live) : { apiVersion, kind: given.kind }),
    object: step.verb === 'apply' ? step.object : update(),
    managers: entries.map((entry) => ({
      key: keyOf(entry),
      apiVersion: entry.apiVersion,
      applied: entry.operation === 'Apply',
      fields: entry.fieldsV1,
    })),
    self: ownerKey({ ...self, operation: step.verb === 'apply' ? 'Apply' : 'Update' }),
    force: step.verb === 'apply' && step.force,
    reset: ['status'],
  })) as OracleAnswer;
  if (answer.error !== undefined) return { refused: answer.error };
  if (answer.conflicts) return { conflicts: answer.conflicts.map(describeConflict).sort() };
  const managers = Object.fromEntries((answer.managers ?? []).map(({ key, fields }) => [key, sorted(fields)]));
  if (step.verb === 'update') return { managers };
  const object = answer.object ?? withoutManagedFields(live ?? {});
  return { object: comparable(given.isCustom ? object : checkStructure(object, type).object, type), managers };
}

async function beforeFirstApply(oracle: Oracle, given: AppliedKind, live: JsonObject): Promise<JsonObject> {
  const { apiVersion } = given;
  const manager = { manager: 'before-first-apply', apiVersion, subresource: '', time: '2026-01-01T00:00:00Z' };
  const step: Step = { verb: 'update', manager: manager.manager, object: withoutManagedFields(live) };
  const { managers = {} } = await askOracle(oracle, given, undefined, step);
  const entries = Object.values(managers).map((fieldsV1) => ({
    manager: manager.manager,
    operation: 'Update',
    apiVersion,
    time: manager.time,
    fieldsType: 'FieldsV1',
    fieldsV1,
  }));
  return { ...live, metadata: { ...metadataOf(live), managedFields: entries } };
}

function describeConflict({ key, path }: { readonly key: string; readonly path: string }): string {
  const [operation, manager, , apiVersion] = JSON.parse(key) as readonly string[];
  const using = operation === 'Apply' ? '' : ` using ${apiVersion}`;
  return `conflict with ${JSON.stringify(manager)}${using}: ${path}`;
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const { managedFields: _managedFields, ...metadata } = metadataOf(object);
  return { ...object, metadata };
}

/** A set of fields with its elements in one order. */
function sorted(set: FieldSet): FieldSet {
  return Object.fromEntries(
    Object.keys(set)
      .sort()
      .map((element) => [element, sorted(set[element] ?? {})]),
  );
}

/** As Go has it: structs that are no pointers are there, if only as {}, and lists and maps that must be, as null. */
function filled(object: JsonObject, type: StructType, empty?: null): JsonObject {
  const result: JsonObject = {};
  for (const name of Object.keys(object)) {
    const field = type.fields.get(name);
    setField(result, name, field ? filledValue(object[name], field.type, empty) : object[name]);
  }
  for (const { name, type: inner, isAlwaysPresent } of type.fields.values()) {
    if (!isAlwaysPresent || inner.kind === 'any') continue;
    // An empty list that must be there is null once it was stored.
    if (empty === null && isEmptyList(result[name], inner)) result[name] = null;
    if (Object.hasOwn(result, name)) continue;
    if (inner.kind === 'struct') result[name] = filled({}, inner, empty);
    else if (empty === null) result[name] = null;
  }
  return result;
}

const isEmptyList = (value: unknown, type: SchemaType): boolean =>
  type.kind === 'list' && type.listType !== 'atomic' && Array.isArray(value) && value.length === 0;

function filledValue(value: unknown, type: SchemaType, empty?: null): unknown {
  if (type.kind === 'struct' && isObject(value)) return filled(value, type, empty);
  if (type.kind === 'list' && Array.isArray(value))
    return value.map((item: unknown) => filledValue(item, type.items, empty));
  if (type.kind !== 'map' || !isObject(value)) return value;
  const result: JsonObject = {};
  for (const name of Object.keys(value)) setField(result, name, filledValue(value[name], type.values, empty));
  return result;
}

/**
 * Without what differs for a known reason: Debian's version puts the items of a list that only the configuration has
 * behind all others (later ones keep the configuration's order); and structs that say nothing.
 */
function comparable(object: JsonObject, type: StructType): JsonObject {
  return comparableValue(withoutManagedFields(object), type) as JsonObject;
}

function comparableValue(value: unknown, type: SchemaType): unknown {
  if (type.kind === 'list' && Array.isArray(value)) {
    const items = value.map((item: unknown) => comparableValue(item, type.items));
    if (type.listType === 'atomic') return items;
    const keyed = items.map((item, index) => [itemElement(item, index, type), item] as const);
    return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
  }
  if ((type.kind !== 'struct' && type.kind !== 'map') || !isObject(value)) return value;
  const result: JsonObject = {};
  for (const name of Object.keys(value).sort()) {
    const field = type.kind === 'struct' ? type.fields.get(name) : undefined;
    const inner = comparableValue(value[name], type.kind === 'map' ? type.values : (field?.type ?? { kind: 'any' }));
    const isNothing = field?.isAlwaysPresent && typeof inner === 'object' && Object.keys(inner ?? {}).length === 0;
    if (!isNothing) setField(result, name, inner);
  }
  return result;
}
