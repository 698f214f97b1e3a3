import type { Container } from '../../shared/api/generated/types.js';

/** The number behind a port that a probe or a hook names. */
export function containerPort(port: number | string, container: Container): number {
  const number = typeof port === 'number' ? port : /^\d+$/.test(port) ? Number(port) : undefined;
  const found = number ?? container.ports?.find((candidate) => candidate.name === port)?.containerPort;
  if (found === undefined)
    throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${container.name}`);
  if (found < 1 || found > 65_535) throw new Error(`invalid port number: ${found}`);
  return found;
}
