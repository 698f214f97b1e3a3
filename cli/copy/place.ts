import { Failure } from '../cluster/failure.js';

/** One side of a copy: a path here, or a path in a pod. */
export interface Place {
  readonly path: string;
  readonly pod?: string;
  readonly namespace?: string;
}

/** Reads `path`, `pod:path` and `namespace/pod:path`. @throws Failure */
export function parsePlace(text: string): Place {
  const at = text.indexOf(':');
  if (at < 0) return { path: text };
  // A drive letter of another system is no pod; neither is a path with a colon behind a slash that begins it.
  if (at === 0) throw new Failure('filespec must match the canonical format: [[namespace/]pod:]file/path');
  const [head, path] = [text.slice(0, at), text.slice(at + 1)];
  if (head.startsWith('.') || head.startsWith('/')) return { path: text };
  const parts = head.split('/');
  if (parts.length > 2) throw new Failure('filespec must match the canonical format: [[namespace/]pod:]file/path');
  const [first = '', second] = parts;
  return second === undefined ? { pod: first, path } : { namespace: first, pod: second, path };
}

/**
 * Where an entry of an archive goes on this machine; undefined where it would leave the destination, or where it is a link that does.
 * `prefix` is how the archive calls what was asked for.
 */
export function localPath(entry: string, prefix: string, destination: string): string | undefined {
  const inner = entry === prefix ? '' : entry.startsWith(`${prefix}/`) ? entry.slice(prefix.length + 1) : undefined;
  if (inner === undefined) return undefined;
  const steps = inner.split('/').filter((step) => step !== '' && step !== '.');
  if (steps.includes('..')) return undefined;
  return [destination, ...steps].join('/');
}
