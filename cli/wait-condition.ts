import { Failure } from './cluster/failure.js';
import { JsonPath, valueText } from './printer/jsonpath.js';
import type { AnyObject } from './server-api.js';

/** What `wait --for` waits for. */
export interface WaitCondition {
  readonly kind: 'create' | 'delete' | 'condition' | 'jsonpath';
  /** `object` is undefined while it does not exist. */
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
  const [, expression, value] = /^(\{.*\}|[^=]*?)(?:=(.*))?$/s.exec(text.replace(/^'(.*)'$/s, '$1')) ?? [];
  if (!expression) throw new Failure('jsonpath expression cannot be empty');
  if (text.endsWith('=')) throw new Failure('jsonpath wait value cannot be empty');
  const path = JsonPath.parseRelaxed(expression);
  const isMet = (object: AnyObject | undefined): boolean => {
    if (!object) return false;
    const values = path.find(object);
    if (value === undefined) return values.length > 0;
    return values.length === 1 && valueText(values[0]) === value.replace(/^(["'])(.*)\1$/s, '$2');
  };
  return { kind: 'jsonpath', isMet };
}
