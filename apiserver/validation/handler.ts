import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../../shared/api/generated/types.js';
import {
  append,
  forbidden,
  invalid,
  invalidEach,
  notNegative,
  notSupported,
  required,
  type FieldError,
} from './field-error.js';
import { isHttpHeaderName, isPortName, isPortNumber } from './names.js';

interface Handlers {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: TCPSocketAction;
  readonly grpc?: GRPCAction;
  readonly sleep?: SleepAction;
}

export function validatePortNumberOrName(port: number | string | undefined, path: string): FieldError[] {
  return typeof port === 'string'
    ? invalidEach(path, port, isPortName(port))
    : invalidEach(path, port ?? 0, isPortNumber(port ?? 0));
}

/** Exactly one way to act, and that one complete. */
function validateHandler(handlers: Handlers, graceSeconds: number | undefined, path: string): FieldError[] {
  const checks: Readonly<Record<keyof Handlers, (at: string) => FieldError[]>> = {
    exec: (at) => ((handlers.exec?.command ?? []).length === 0 ? [required(`${at}.command`)] : []),
    httpGet: (at) => (handlers.httpGet ? validateHttpGet(handlers.httpGet, at) : []),
    tcpSocket: (at) => validatePortNumberOrName(handlers.tcpSocket?.port, `${at}.port`),
    grpc: (at) => validatePortNumberOrName(handlers.grpc?.port, `${at}.port`),
    sleep: (at) => (handlers.sleep ? validateSleep(handlers.sleep, graceSeconds, at) : []),
  };
  const given = (Object.keys(checks) as (keyof Handlers)[]).filter((name) => handlers[name]);
  if (given.length === 0) return [required(path, 'must specify a handler type')];
  return given.flatMap((name, index) =>
    index === 0
      ? checks[name](`${path}.${name}`)
      : [forbidden(`${path}.${name}`, 'may not specify more than 1 handler type')],
  );
}

function validateHttpGet({ path: url, port, scheme, httpHeaders }: HTTPGetAction, path: string): FieldError[] {
  const errors = url ? [] : [required(`${path}.path`)];
  append(errors, validatePortNumberOrName(port, `${path}.port`));
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.push(notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']));
  for (const { name } of httpHeaders ?? [])
    append(errors, invalidEach(`${path}.httpHeaders`, name, isHttpHeaderName(name)));
  return errors;
}

function validateSleep({ seconds }: SleepAction, graceSeconds: number | undefined, path: string): FieldError[] {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return [];
  return [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`)];
}

export type ProbeKind = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export function validateProbe(probe: Probe, kind: ProbeKind, path: string): FieldError[] {
  const errors = validateHandler(probe, undefined, path);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const)
    append(errors, notNegative(`${path}.${field}`, probe[field]));
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0)
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  if (kind === 'readinessProbe' && grace !== undefined)
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'));
  if (kind !== 'readinessProbe' && probe.successThreshold !== 1)
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  return errors;
}

export function validateLifecycle(
  { postStart, preStop }: Lifecycle,
  graceSeconds: number | undefined,
  path: string,
): FieldError[] {
  return [
    ...(postStart ? validateHandler(postStart, graceSeconds, `${path}.postStart`) : []),
    ...(preStop ? validateHandler(preStop, graceSeconds, `${path}.preStop`) : []),
  ];
}
