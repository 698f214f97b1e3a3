import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../cluster/failure.js';
import { isMap } from './paths.js';

interface Operation {
  readonly op: string;
  readonly path?: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** A JSON patch (RFC 6902) on a copy of an object. @throws Failure */
export function applyJsonPatch<T>(object: T, operations: readonly unknown[]): T {
  const root = { '': structuredClone(object) as unknown };
  for (const given of operations) {
    const operation = given as Operation;
    const value = (): unknown => structuredClone(operation.value);
    const { op, path = '', from = '' } = operation;
    if (op === 'add') put(root, path, value());
    else if (op === 'remove') take(root, path);
    else if (op === 'replace') replace(root, path, value());
    else if (op === 'move') put(root, path, take(root, from));
    else if (op === 'copy') put(root, path, structuredClone(read(root, from)));
    else if (op !== 'test') throw new Failure(`unexpected kind of a JSON patch: ${JSON.stringify(op)}`);
    else if (!isDeepStrictEqual(read(root, path), operation.value)) throw new Failure(`testing value ${path} failed`);
  }
  return root[''] as T;
}

const stepsOf = (path: string): string[] =>
  path.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

/** What holds the last step of a path. */
function holder(root: object, path: string): { inside: unknown; last: string } {
  const steps = stepsOf(path);
  const last = steps.pop() ?? '';
  let inside: unknown = root;
  for (const step of steps) inside = child(inside, step, path);
  return { inside, last };
}

function child(inside: unknown, step: string, path: string): unknown {
  const found = Array.isArray(inside) ? (inside as unknown[])[Number(step)] : isMap(inside) ? inside[step] : undefined;
  if (found === undefined) throw new Failure(`the path of a JSON patch does not exist: ${path}`);
  return found;
}

function read(root: object, path: string): unknown {
  const { inside, last } = holder(root, path);
  return child(inside, last, path);
}

function put(root: object, path: string, value: unknown): void {
  const { inside, last } = holder(root, path);
  if (Array.isArray(inside)) {
    const at = last === '-' ? inside.length : Number(last);
    if (!Number.isInteger(at) || at < 0 || at > inside.length)
      throw new Failure(`no such index in a JSON patch: ${path}`);
    inside.splice(at, 0, value);
  } else if (isMap(inside)) inside[last] = value;
  else throw new Failure(`the path of a JSON patch does not exist: ${path}`);
}

function replace(root: object, path: string, value: unknown): void {
  read(root, path);
  const { inside, last } = holder(root, path);
  if (Array.isArray(inside)) inside[Number(last)] = value;
  else if (isMap(inside)) inside[last] = value;
}

function take(root: object, path: string): unknown {
  const found = read(root, path);
  const { inside, last } = holder(root, path);
  if (Array.isArray(inside)) inside.splice(Number(last), 1);
  else if (isMap(inside)) delete inside[last];
  return found;
}
