import type { Pod, Service } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';

/** One `LOCAL:REMOTE`. A local port of 0 is any free one. */
export interface PortPair {
  readonly local: number | 'same';
  readonly remote: number | string;
}

/** Reads `8080`, `8888:8080`, `:8080`, `https`, `8443:https`. @throws Failure */
export function parsePorts(words: readonly string[]): PortPair[] {
  return words.map((word) => {
    const parts = word.split(':');
    const [first = '', second] = parts;
    if (parts.length > 2) throw new Failure(`invalid port format '${word}'`);
    if (second === undefined) return { local: 'same', remote: portOf(first, word) };
    const local = first === '' ? 0 : portOf(first, word);
    if (typeof local === 'string')
      throw new Failure(`error parsing local port '${first}': strconv.ParseUint: parsing "${first}": invalid syntax`);
    return { local, remote: portOf(second, word) };
  });
}

function portOf(text: string, word: string): number | string {
  if (/^\d+$/.test(text)) {
    const port = Number(text);
    if (port > 65_535) throw new Failure(`error parsing port '${text}': value out of range`);
    if (port === 0 && word === text) throw new Failure('remote port must be > 0');
    return port;
  }
  if (text === '' || !/^[a-z0-9-]+$/.test(text)) throw new Failure(`invalid port format '${word}'`);
  return text;
}

/** The names that stand for remote ports in words as {@link parsePorts} takes them; kubectl looks for these before anything else. */
export const namedPorts = (words: readonly string[]): string[] =>
  words
    .map((word) => word.split(':'))
    .map((parts) => (parts.length === 2 ? parts[1] : parts[0]) ?? '')
    .filter((remote) => !/^[+-]?\d+$/.test(remote));

/** The pod's own port behind a port number or name of the pod or Service. @throws Failure when there is none of that name. */
export function remotePort(
  port: number | string,
  target: { kind: string; [field: string]: unknown },
  pod: Pod,
): number {
  if (target.kind === 'Service') {
    const { spec, metadata } = target as unknown as Service;
    const servicePort = spec.ports?.find((each) => each.port === port || each.name === port);
    if (!servicePort)
      throw new Failure(
        typeof port === 'number'
          ? `Service ${metadata.name} does not have a service port ${port}`
          : `Service '${metadata.name}' does not have a named port '${port}'`,
      );
    if (spec.clusterIP === 'None') return typeof port === 'number' ? port : servicePort.port;
    return remotePort(servicePort.targetPort ?? servicePort.port, { kind: 'Pod' }, pod);
  }
  if (typeof port === 'number') return port;
  const named = pod.spec.containers.flatMap((c) => c.ports ?? []).find((each) => each.name === port);
  if (!named) throw new Failure(`Pod '${pod.metadata.name}' does not have a named port '${port}'`);
  return named.containerPort;
}
