import { Failure } from './cluster/failure.js';
import { JsonPath, valueText } from './printer/jsonpath.js';
import type { AnyObject } from './server-api.js';

/** What `wait --for` waits for. */
export interface WaitCondition {
  readonly kind: 'create' | 'delete' | 'condition' | 'jsonpath';
  /** `object` is undefined while it does not exist. @throws Failure where the object can never tell */
  isMet(object: AnyObject | undefined): boolean;
}

/** Reads `delete`, `create`, `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Running`. @throws Failure */
export function parseWaitCondition(text: string): WaitCondition {
  const lower = text.toLowerCase();
  if (lower === 'delete') return { kind: 'delete', isMet: (object) => object === undefined };
  if (lower === 'create') return { kind: 'create', isMet: (object) => object !== undefined };
  if (text.startsWith('condition=')) return conditionOf(text.slice('condition='.length));
  if (text.startsWith('jsonpath=')) return jsonPathOf(text.slice('jsonpath='.length));
  throw new Failure(`unrecognized condition: ${JSON.stringify(text)}`);
}

interface Condition {
  type?: string;
  status?: string;
  observedGeneration?: number;
}

function conditionOf(text: string): WaitCondition {
  const at = text.indexOf('=');
  const [name, value] = at < 0 ? [text, 'true'] : [text.slice(0, at), text.slice(at + 1)];
  const isMet = (object: AnyObject | undefined): boolean => {
    const status = object?.['status'] as { conditions?: Condition[]; observedGeneration?: number } | undefined;
    const found = status?.conditions?.find((c) => c.type?.toLowerCase() === name.toLowerCase());
    if (!object || !found) return false;
    // A condition about an older generation says nothing about this one.
    const seen = found.observedGeneration ?? status?.observedGeneration;
    if (seen !== undefined && object.metadata.generation !== undefined && seen < object.metadata.generation)
      return false;
    return found.status?.toLowerCase() === value.toLowerCase();
  };
  return { kind: 'condition', isMet };
}

function jsonPathOf(text: string): WaitCondition {
  const [expression = '', expected, ...rest] = splitAtEquals(text);
  if (rest.length > 0) {
    throw new Failure(
      "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
    );
  }
  if (expression === '') throw new Failure('jsonpath expression cannot be empty');
  const path = JsonPath.parseRelaxed(expression);
  const value = expected?.replace(/^['"]+|['"]+$/g, '');
  if (value === '') {
    throw new Failure(
      "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
    );
  }
  return { kind: 'jsonpath', isMet: (object) => object !== undefined && isValue(path.find(object), value) };
}

/** Parts between single `=`; the `==` of a filter stays. */
const splitAtEquals = (text: string): string[] =>
  text.split(/(==)|=/).reduce<string[]>(
    (parts, part, index) => {
      // Odd places hold what was captured: `==`, or nothing at a single `=`.
      if (index % 2 === 1 && part === undefined) parts.push('');
      else parts.push((parts.pop() ?? '') + part);
      return parts;
    },
    [''],
  );

function isValue([found, ...others]: readonly unknown[], value: string | undefined): boolean {
  if (found === undefined) return false;
  if (others.length > 0) throw new Failure('given jsonpath expression matches more than one value');
  if (value === undefined) return true;
  if (typeof found === 'object' && found !== null) {
    throw new Failure('jsonpath leads to a nested object or list which is not supported');
  }
  return valueText(found).trim() === value.trim();
}
