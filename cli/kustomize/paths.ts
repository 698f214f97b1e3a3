import { isObject, type JsonObject } from '../../shared/api/json.js';

/**
 * Calls `change` for each value at a path such as `spec/template/spec/containers[]/image` and puts what it returns in its
 * place. Maps on the way are made where `creates` is set.
 */
export function changeAt(object: JsonObject, path: string, change: (value: unknown) => unknown, creates = false): void {
  const [step = '', ...rest] = path.split('/');
  const name = step.replace('[]', '');
  if (rest.length === 0 && !step.endsWith('[]')) {
    if (object[name] === undefined && !creates) return;
    const changed = change(object[name]);
    if (changed !== undefined) object[name] = changed;
    return;
  }
  if (object[name] === undefined && creates && !step.endsWith('[]')) object[name] = {};
  const inner = object[name];
  if (step.endsWith('[]')) {
    if (!Array.isArray(inner)) return;
    if (rest.length === 0) object[name] = inner.map(change);
    else for (const item of inner.filter(isObject)) changeAt(item, rest.join('/'), change, creates);
  } else if (isObject(inner)) changeAt(inner, rest.join('/'), change, creates);
}

/** Where pods' templates lie, by kind. */
export const templatePaths: Readonly<Record<string, string>> = {
  CronJob: 'spec/jobTemplate/spec/template',
  DaemonSet: 'spec/template',
  Deployment: 'spec/template',
  Job: 'spec/template',
  ReplicaSet: 'spec/template',
  ReplicationController: 'spec/template',
  StatefulSet: 'spec/template',
};

/** Where the specifications of pods lie. */
export function podSpecPath(kind: string): string | undefined {
  if (kind === 'Pod') return 'spec';
  const template = templatePaths[kind];
  return template === undefined ? undefined : `${template}/spec`;
}
