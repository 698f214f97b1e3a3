import { namespaces } from '../../shared/api/generated/resources.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden, notFound } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is created in a namespace that is not there or is going; some namespaces stay for good. */
export function namespaceLifecycle(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    // Before anything else is looked at, and before anybody is asked about an object that cannot be.
    mutate: (request) => {
      const { resource } = request.definition;
      const isNamespace = resource.group === '' && resource.resource === 'namespaces';
      if (isNamespace && request.operation === 'DELETE' && immortal.has(request.name)) {
        throw forbidden(resource, request.name, 'this namespace may not be deleted');
      }
      if (resource.namespaced && request.operation === 'CREATE') checkNamespace(objects, request);
    },
  };
}

function checkNamespace(objects: ObjectReader, { namespace = '', definition, name }: AdmissionRequest): void {
  const found = objects.find(namespaces, undefined, namespace);
  if (!found) throw notFound(namespaces, namespace);
  if (found.status?.phase !== 'Terminating' && !found.metadata.deletionTimestamp) return;
  const { resource } = definition;
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refusal = forbidden(resource, name, message);
  throw new StatusError(403, 'Forbidden', refusal.message, {
    ...refusal.details,
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  });
}
