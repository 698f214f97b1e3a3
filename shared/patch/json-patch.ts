import { StatusError } from '../errors/status-error.js';
import { cloneJson, equalJson, getField, isDeeperThan, isObject, setField, type JsonObject } from '../api/json.js';
import { badRequest } from '../errors/bad-request.js';

/** As in the original. */
const maxOperations = 10_000;
/** What all copy operations of a patch may add, in bytes of JSON. */
const maxCopiedBytes = 3 * 1024 * 1024;
/** Copies into themselves would double the nesting each time, up to where nothing can walk it. */
const maxDepth = 512;
/** What all insertions and removals may shift in arrays; beyond it a patch would hold the event loop for seconds. */
const maxShiftedItems = 20_000_000;

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
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
        causes: [{ reason: 'FieldValueInvalid', message: error.message, field: `patch[${index}]` }],
      });
    }
  }
  return applier.document;
}

function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) {
    const form = patch === null ? 'null' : isObject(patch) ? 'object' : typeof patch;
    throw badRequest(`json: cannot unmarshal ${form} into Go value of type jsonpatch.Patch`);
  }
  if (patch.length > maxOperations) {
    const reason = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`;
    throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${reason}`);
  }
  return patch.map((item: unknown) => {
    if (!isObject(item)) throw badRequest('json: cannot unmarshal into Go value of type jsonpatch.Operation');
    const { op, path, from } = item;
    for (const [name, text] of Object.entries({ op, path, from: from ?? '' })) {
      if (typeof text !== 'string')
        throw badRequest(`a JSON patch operation needs a string in ${JSON.stringify(name)}`);
    }
    return { op: op as string, path: path as string, from: (from ?? '') as string, value: getField(item, 'value') };
  });
}

class Applier {
  readonly document: unknown;
  #copiedBytes = 0;
  #shiftedItems = 0;

  constructor(document: unknown) {
    this.document = document;
  }

  apply({ op, path, from, value }: Operation): void {
    switch (op) {
      case 'add':
        return this.#add(path, this.#valueOf(op, value));
      case 'remove':
        this.#remove(path, op);
        return;
      case 'replace':
        return this.#replace(path, this.#valueOf(op, value));
      case 'move':
        return this.#move(from, path);
      case 'copy':
        return this.#copy(from, path);
      case 'test':
        if (!equalJson(this.#get(path, op) ?? null, value ?? null)) {
          throw new OperationError(`testing value ${path} failed: test failed`);
        }
        return;
      default:
        throw new OperationError(`Unexpected kind: ${op}`);
    }
  }

  #valueOf(op: string, value: unknown): unknown {
    if (value === undefined) throw new OperationError(`${op} operation is missing its value`);
    return cloneJson(value);
  }

  #add(path: string, value: unknown): void {
    const { container, key } = this.#locate(path, 'add');
    if (!Array.isArray(container)) return setField(container, key, value);
    const index = key === '-' ? container.length : indexOf(key, container.length + 1);
    this.#shift(container.length - index);
    container.splice(index, 0, value);
  }

  #remove(path: string, op: string): unknown {
    const { container, key } = this.#locate(path, op);
    if (Array.isArray(container)) {
      const index = indexOf(key, container.length);
      this.#shift(container.length - index);
      return container.splice(index, 1)[0];
    }
    if (!Object.hasOwn(container, key)) {
      throw new OperationError(`Unable to remove nonexistent key: ${key}: missing value`);
    }
    const removed = container[key];
    delete container[key];
    return removed;
  }

  #replace(path: string, value: unknown): void {
    const { container, key } = this.#locate(path, 'replace');
    if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
    else if (Object.hasOwn(container, key)) setField(container, key, value);
    else throw new OperationError(`replace operation does not apply: doc is missing key: ${path}: missing value`);
  }

  #move(from: string, path: string): void {
    if (path === from) return;
    if (path.startsWith(`${from}/`)) throw new OperationError(`cannot move ${from} into itself: ${path}`);
    this.#add(path, bounded(this.#remove(from, 'move')));
  }

  #copy(from: string, path: string): void {
    const value = bounded(this.#get(from, 'copy'));
    if (value === undefined) {
      throw new OperationError(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
    }
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > maxCopiedBytes) {
      const reason = `the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${maxCopiedBytes}`;
      throw new OperationError(`Unable to complete the copy, ${reason}`);
    }
    this.#add(path, cloneJson(value));
  }

  #get(path: string, op: string): unknown {
    if (path === '') return this.document;
    const { container, key } = this.#locate(path, op);
    return Array.isArray(container) ? container[indexOf(key, container.length)] : getField(container, key);
  }

  /** The container that holds a path's last part. */
  #locate(path: string, op: string): { container: JsonObject | unknown[]; key: string } {
    const missing = (): OperationError =>
      new OperationError(`${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`);
    const tokens = path.split('/').map((token) => token.replace(/~1/g, '/').replace(/~0/g, '~'));
    const key = tokens.pop();
    if (key === undefined || tokens.shift() !== '' || tokens.length > maxDepth) throw missing();
    let container: unknown = this.document;
    for (const token of tokens) {
      if (Array.isArray(container)) container = container[indexOf(token, container.length)];
      else container = isObject(container) ? getField(container, token) : undefined;
    }
    if (typeof container !== 'object' || container === null) throw missing();
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

function bounded(value: unknown): unknown {
  if (isDeeperThan(value, maxDepth)) throw new OperationError(`the value is nested deeper than ${maxDepth} levels`);
  return value;
}

/** Position in an array with `length` places. */
function indexOf(token: string, length: number): number {
  if (!/^-?(0|[1-9][0-9]{0,9})$/.test(token)) {
    throw new OperationError(`strconv.Atoi: parsing ${JSON.stringify(token)}: invalid syntax`);
  }
  const given = Number(token);
  const index = given < 0 ? given + length : given;
  if (index < 0 || index >= length) {
    throw new OperationError(`Unable to access invalid index: ${token}: invalid index referenced`);
  }
  return index;
}
