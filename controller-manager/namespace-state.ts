import { isForbidden, StatusError } from '../shared/errors/status-error.js';

/** Whether a create was refused because its namespace is going away: nothing to retry, the namespace's end cleans up. */
export function isTerminatingNamespace(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  if (error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return true;
  return isForbidden(error) && error.message.includes('because it is being terminated');
}
