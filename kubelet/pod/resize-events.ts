import type { Container, Pod } from '../../shared/api/generated/types.js';
import type { PodResize } from './resize.js';

export interface ResizeEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'ResizeStarted' | 'ResizeCompleted' | 'ResizeDeferred' | 'ResizeInfeasible' | 'ResizeError';
  readonly message: string;
}

/** What is told of a resize that went from one state to another; undefined where nothing new is known. */
export function resizeEvent(
  pod: Pod,
  before: PodResize | undefined,
  after: PodResize | undefined,
): ResizeEvent | undefined {
  if (after === undefined) {
    if (before?.type !== 'PodResizeInProgress') return undefined;
    return { type: 'Normal', reason: 'ResizeCompleted', message: tell('completed', pod) };
  }
  const { type, reason, message = '' } = after;
  const isNew = before?.type !== type || before.generation !== after.generation;
  if (!isNew && before.reason === reason && before.message === after.message) return undefined;
  if (reason === 'Deferred' || reason === 'Infeasible')
    return { type: 'Warning', reason: `Resize${reason}`, message: tell(reason, pod, message) };
  if (reason === 'Error') return { type: 'Warning', reason: 'ResizeError', message: tell('error', pod, message) };
  return isNew ? { type: 'Normal', reason: 'ResizeStarted', message: tell('started', pod) } : undefined;
}

/** `Pod resize started: {"containers":[{"name":"main","resources":{...}}],"generation":2}` */
function tell(what: string, { spec, metadata }: Pod, error?: string): string {
  const summary = {
    ...(spec.initContainers?.length ? { initContainers: spec.initContainers.map(summaryOf) } : {}),
    containers: spec.containers.map(summaryOf),
    generation: metadata.generation ?? 0,
    ...(error ? { error } : {}),
  };
  return `Pod resize ${what}: ${JSON.stringify(summary)}`;
}

function summaryOf({ name, resources }: Container): object {
  const { limits, requests } = resources ?? {};
  return {
    name,
    resources: { ...(limits ? { limits: sorted(limits) } : {}), ...(requests ? { requests: sorted(requests) } : {}) },
  };
}

const sorted = (amounts: Readonly<Record<string, string>>): object =>
  Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
