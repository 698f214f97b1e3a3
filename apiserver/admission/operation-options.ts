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
  const common = { kind, apiVersion: 'meta.k8s.io/v1', ...(isDryRun ? { dryRun: ['All'] } : {}) };
  if (operation !== 'DELETE') {
    return {
      ...common,
      ...(fieldManager ? { fieldManager } : {}),
      ...(fieldValidation ? { fieldValidation } : {}),
    };
  }
  const { gracePeriodSeconds, propagationPolicy, preconditions } = deletion;
  return {
    ...common,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy ? { propagationPolicy } : {}),
    ...(preconditions?.uid || preconditions?.resourceVersion ? { preconditions } : {}),
  };
}
