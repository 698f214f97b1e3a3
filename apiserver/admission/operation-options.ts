import type { DeleteOptions, WriteOptions } from '../registry/write-options.js';
import type { AdmissionRequest } from './admission.js';

const kinds: Readonly<Record<string, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
};

/** CreateOptions, UpdateOptions or DeleteOptions of a request, as webhooks are shown them; undefined for CONNECT. */
export function writeOptionsObject(
  operation: AdmissionRequest['operation'],
  { isDryRun, fieldManager, fieldValidation }: Pick<WriteOptions, 'isDryRun'> & Partial<WriteOptions>,
  deletion: DeleteOptions = {},
): Readonly<Record<string, unknown>> | undefined {
  const kind = kinds[operation];
  if (kind === undefined) return undefined;
  const shown: Record<string, unknown> = { kind, apiVersion: 'meta.k8s.io/v1' };
  if (isDryRun) shown['dryRun'] = ['All'];
  if (operation !== 'DELETE') {
    if (fieldManager) shown['fieldManager'] = fieldManager;
    if (fieldValidation) shown['fieldValidation'] = fieldValidation;
    return shown;
  }
  const { gracePeriodSeconds, propagationPolicy, preconditions } = deletion;
  if (gracePeriodSeconds !== undefined) shown['gracePeriodSeconds'] = gracePeriodSeconds;
  if (propagationPolicy) shown['propagationPolicy'] = propagationPolicy;
  if (preconditions?.uid || preconditions?.resourceVersion) shown['preconditions'] = preconditions;
  return shown;
}
