import { StatusError } from '../errors/status-error.js';
import { cloneJson, equalJson, getField, isDeeperThan, isObject, setField, type JsonObject } from '../api/json.js';
import { badRequest, excerpt } from '../errors/bad-request.js';

/** As in the original. */
const maxOperations = 10_000;
/** What all copy operations of a patch may add, in bytes of JSON. */
const maxCopiedBytes = 3 * 1024 * 1024;
/** Copies into themselves would double the nesting each time, up to where nothing can walk it. */
const maxDepth = 512;
/** What all insertions and removals may shift in arrays; beyond it a patch would hold the event loop for seconds. */
const maxShiftedItems = 20_000_000;

interface Operation {
  /** 'unknown' where none was given that could be read; so the original calls it, too. */
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly value: unknown;
}

/** Why an operation does not apply, in the words of the original's library. */
class OperationError extends Error {
  override readonly name = 'OperationError';
}

/**
 * RFC 6902. Negative indexes count from the end, as the original's library does.
 * @throws StatusError 400 for what is not a patch, 413 for too much work, 422 for a patch that does not apply
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  const applier = new Applier(cloneJson(target));
  for (const [index, operation] of operations.entries()) {
    try {
      applier.apply(operation);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {
        causes: [{ reason: 'FieldValueInvalid', message: excerpt(error.message), field: `patch[${index}]` }],
      });
    }
  }
  return applier.document;
}

function readOperations(patch: unknown): Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw unreadable(patch, 'Patch');
  if (patch.length > maxOperations) {
    const reason = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`;
    throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${reason}`);
  }
  return patch.map((item: unknown) => {
    if (!isObject(item) && item !== null) throw unreadable(item, 'Operation');
    const textOf = (name: string): string | undefined => {
      const given = getField(item ?? {}, name);
      return typeof given === 'string' ? given : undefined;
    };
    const value = getField(item ?? {}, 'value') ?? null;
    return { op: textOf('op') ?? 'unknown', path: textOf('path'), from: textOf('from'), value };
  });
}

function unreadable(value: unknown, type: string): StatusError {
  const form = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return badRequest(`json: cannot unmarshal ${form} into Go value of type jsonpatch.${type}`);
}

interface Place {
  readonly container: JsonObject | unknown[];
  readonly key: string;
}

class Applier {
  document: unknown;
  #copiedBytes = 0;
  #shiftedItems = 0;

  constructor(document: unknown) {
    this.document = document;
  }

  apply(operation: Operation): void {
    switch (operation.op) {
      case 'add':
        return this.#add(pathOf(operation), cloneJson(operation.value));
      case 'remove':
        return this.#remove(pathOf(operation));
      case 'replace':
        return this.#replace(pathOf(operation), cloneJson(operation.value));
      case 'move':
        return this.#move(fromOf(operation), operation);
      case 'copy':
        return this.#copy(fromOf(operation), operation);
      case 'test':
        return this.#test(pathOf(operation), operation.value);
      default:
        throw new OperationError(`Unexpected kind: ${operation.op}`);
    }
  }

  #add(path: string, value: unknown): void {
    const place = this.#locate(path);
    if (!place) throw missing(`add operation does not apply: doc is missing path: "${path}"`);
    inside(`error in add for path: '${path}'`, () => this.#insert(place, value));
  }

  #remove(path: string): void {
    const place = this.#locate(path);
    if (!place) throw missing(`remove operation does not apply: doc is missing path: "${path}"`);
    inside(`error in remove for path: '${path}'`, () => this.#take(place));
  }

  /** A field that is not there is set: the original's library looks only whether a list has the item. */
  #replace(path: string, value: unknown): void {
    if (path === '') {
      // A document is an object or a list; anything else changes nothing, as in the original.
      if (typeof value === 'object' && value !== null) this.document = value;
      return;
    }
    const place = this.#locate(path);
    if (!place) throw missing(`replace operation does not apply: doc is missing path: ${path}`);
    const { container, key } = place;
    if (!Array.isArray(container)) return setField(container, key, value);
    const index = indexIn(container, key);
    if (index === undefined) throw missing(`replace operation does not apply: doc is missing key: ${path}`);
    container[index] = value;
  }

  #move(from: string, operation: Operation): void {
    const source = this.#locate(from);
    if (!source) throw missing(`move operation does not apply: doc is missing from path: ${from}`);
    const value = bounded(inside(`error in move for path: '${source.key}'`, () => this.#take(source)));
    const path = pathOf(operation);
    const place = this.#locate(path);
    if (!place) throw missing(`move operation does not apply: doc is missing destination path: ${path}`);
    inside(`error in move for path: '${path}'`, () => this.#insert(place, value));
  }

  /** What is not there is copied as null. */
  #copy(from: string, operation: Operation): void {
    const source = this.#locate(from);
    if (!source) throw missing(`copy operation does not apply: doc is missing from path: ${from}`);
    const value = bounded(inside(`error in copy for from: '${from}'`, () => valueAt(source)) ?? null);
    const path = pathOf(operation);
    const place = this.#locate(path);
    if (!place) throw missing(`copy operation does not apply: doc is missing destination path: ${path}`);
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > maxCopiedBytes) {
      const reason = `the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${maxCopiedBytes}`;
      throw new OperationError(`Unable to complete the copy, ${reason}`);
    }
    inside('error while adding value during copy', () => this.#insert(place, cloneJson(value)));
  }

  #test(path: string, expected: unknown): void {
    if (!equalJson(this.#valueToTest(path) ?? null, expected)) {
      throw new OperationError(`testing value ${path} failed: test failed`);
    }
  }

  #valueToTest(path: string): unknown {
    if (path === '') return this.document;
    const place = this.#locate(path);
    if (!place) throw missing(`test operation does not apply: is missing path: ${path}`);
    return inside(`error in test for path: '${path}'`, () => valueAt(place));
  }

  #insert({ container, key }: Place, value: unknown): void {
    if (!Array.isArray(container)) return setField(container, key, value);
    const index = key === '-' ? container.length : newIndexOf(key, container.length + 1);
    this.#shift(container.length - index);
    container.splice(index, 0, value);
  }

  #take({ container, key }: Place): unknown {
    if (Array.isArray(container)) {
      const index = indexOf(key, container.length);
      this.#shift(container.length - index);
      return container.splice(index, 1)[0];
    }
    if (!Object.hasOwn(container, key)) throw missing(`Unable to remove nonexistent key: ${key}`);
    const removed = container[key];
    delete container[key];
    return removed;
  }

  /** What holds the last part of a path; undefined where there is no such thing. */
  #locate(path: string): Place | undefined {
    const tokens = path.split('/').map((token) => token.replace(/~1/g, '/').replace(/~0/g, '~'));
    const key = tokens.pop();
    // What stands before the first slash is not looked at, as in the original.
    if (key === undefined || tokens.shift() === undefined || tokens.length > maxDepth) return undefined;
    let container: unknown = this.document;
    for (const token of tokens) {
      if (Array.isArray(container)) container = container[indexIn(container, token) ?? -1];
      else container = isObject(container) ? getField(container, token) : undefined;
    }
    if (typeof container !== 'object' || container === null) return undefined;
    return { container: container as JsonObject | unknown[], key };
  }

  #shift(count: number): void {
    this.#shiftedItems += count;
    if (this.#shiftedItems > maxShiftedItems) {
      throw new StatusError(
        413,
        'RequestEntityTooLarge',
        'Request entity too large: the patch moves too many list items',
      );
    }
  }
}

/** @throws OperationError for a missing path */
function pathOf({ op, path }: Operation): string {
  if (path === undefined) throw missing(`${op} operation failed to decode path`);
  return path;
}

/** @throws OperationError for a missing origin */
function fromOf({ op, from }: Operation): string {
  if (from === undefined) throw missing(`${op} operation failed to decode from: operation, missing from field`);
  return from;
}

const missing = (what: string): OperationError => new OperationError(`${what}: missing value`);

/** Heads what goes wrong with what was being done. */
function inside<T>(what: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof OperationError ? new OperationError(`${what}: ${error.message}`) : error;
  }
}

const valueAt = ({ container, key }: Place): unknown =>
  Array.isArray(container) ? container[indexOf(key, container.length)] : getField(container, key);

function bounded(value: unknown): unknown {
  if (isDeeperThan(value, maxDepth)) throw new OperationError(`the value is nested deeper than ${maxDepth} levels`);
  return value;
}

/** Position of an item of a list; undefined where there is none. */
function indexIn(list: readonly unknown[], token: string): number | undefined {
  const index = readIndex(token, list.length);
  return typeof index === 'number' ? index : undefined;
}

/** Position in an array with `length` places. */
function indexOf(token: string, length: number): number {
  const index = readIndex(token, length);
  if (typeof index === 'string') throw new OperationError(index);
  return index;
}

/** Position of an item that is to come into an array, which then has `length` places. */
function newIndexOf(token: string, length: number): number {
  if (!isNumber(token)) {
    throw new OperationError(`value was not a proper array index: '${token}': ${noNumber(token)}`);
  }
  return indexOf(token, length);
}

const isNumber = (token: string): boolean => /^[-+]?[0-9]+$/.test(token);
const noNumber = (token: string): string => `strconv.Atoi: parsing ${JSON.stringify(token)}: invalid syntax`;

/** The position, or why there is none. */
function readIndex(token: string, length: number): number | string {
  if (!isNumber(token)) return noNumber(token);
  const given = Number(token);
  const index = given < 0 ? given + length : given;
  return index >= 0 && index < length ? index : `Unable to access invalid index: ${token}: invalid index referenced`;
}
