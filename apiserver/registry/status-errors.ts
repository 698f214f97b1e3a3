import type { Resource } from '../../shared/api/resource.js';
import { StatusError, type StatusObject } from '../../shared/errors/status-error.js';
import { aggregateMessage, toCauses, type FieldError } from '../validation/field-error.js';

/** `pods`, `deployments.apps`: how messages name a resource. */
function qualifiedResource(resource: Pick<Resource, 'group' | 'resource'>): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

function details(resource: Pick<Resource, 'group' | 'resource'>, name?: string) {
  return { ...(name ? { name } : {}), ...(resource.group ? { group: resource.group } : {}), kind: resource.resource };
}

export const notFound = (resource: Resource, name: string): StatusError =>
  new StatusError(
    404,
    'NotFound',
    `${qualifiedResource(resource)} ${JSON.stringify(name)} not found`,
    details(resource, name),
  );

export const alreadyExists = (resource: Resource, name: string): StatusError =>
  new StatusError(
    409,
    'AlreadyExists',
    `${qualifiedResource(resource)} ${JSON.stringify(name)} already exists`,
    details(resource, name),
  );

export const conflict = (resource: Pick<Resource, 'group' | 'resource'>, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(resource)} ${JSON.stringify(name)}: ${why}`,
    details(resource, name),
  );

export const modified = (resource: Resource, name: string): StatusError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

/** 422 with one cause a field. */
export function invalid(
  kind: Pick<Resource, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new StatusError(
    422,
    'Invalid',
    `${qualifiedKind} ${JSON.stringify(name)} is invalid: ${aggregateMessage(errors)}`,
    {
      ...(name ? { name } : {}),
      ...(kind.group ? { group: kind.group } : {}),
      kind: kind.kind,
      causes: toCauses(errors),
    },
  );
}

/** 403 in the words of the original: `pods "x" is forbidden: WHY`. */
export const forbidden = (resource: Pick<Resource, 'group' | 'resource'>, name: string, why: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    `${qualifiedResource(resource)}${name ? ` ${JSON.stringify(name)}` : ''} is forbidden: ${why}`,
    details(resource, name),
  );

export const methodNotSupported = (resource: Resource, action: string): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind ${JSON.stringify(qualifiedResource(resource))}`,
    details(resource),
  );

export const unknownResource = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const notAcceptable = (message: string): StatusError => new StatusError(406, 'NotAcceptable', message);

export const internalError = (message: string): StatusError =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });

export const serviceUnavailable = (message: string): StatusError => new StatusError(503, 'ServiceUnavailable', message);

/** A resourceVersion that does not exist yet: the client is ahead of this server. */
export const resourceVersionTooLarge = (requested: number, current: number): StatusError =>
  new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

export const expired = (message: string): StatusError => new StatusError(410, 'Expired', message);

/** 410 of a list page whose snapshot is gone; its metadata carries a token that goes on at the latest state. */
export class ExpiredContinueError extends StatusError {
  readonly #continue: string;
  constructor(inconsistentContinue: string) {
    super(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
        'without the continue parameter, or use the continue token in this response to retrieve the remainder of the ' +
        'results. Continuing with the provided token results in an inconsistent list - objects that were created, ' +
        'modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    );
    this.#continue = inconsistentContinue;
  }
  override toStatus(): StatusObject {
    return { ...super.toStatus(), metadata: { continue: this.#continue } };
  }
}
