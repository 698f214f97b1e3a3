import { StatusError } from '../../shared/errors/status-error.js';
import { forbiddenMessage, withoutMarkup, type Attributes, type Decision } from '../authorization/authorizer.js';
import type { Exchange } from './exchange.js';

/** Throws 403 unless the decision is to allow, or 500 where somebody could not be asked who might have allowed it. */
export function judge(attributes: Attributes, decision: Decision, uri: string): void {
  const { verdict, error } = decision;
  if (verdict !== 'allow' && error !== undefined) {
    const message = withoutMarkup(`Internal Server Error: ${JSON.stringify(uri)}: ${error}`);
    throw new StatusError(500, 'InternalError', message, { causes: [{ message }] });
  }
  refuse(attributes, decision);
}

/** Throws 403 unless the decision is to allow. */
export function refuse(attributes: Attributes, { verdict, reason }: Decision): void {
  if (verdict === 'allow') return;
  const { isResourceRequest, name, group, resource } = attributes;
  const details = isResourceRequest ? { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource } : {};
  throw new StatusError(403, 'Forbidden', forbiddenMessage(attributes, reason), details);
}

export function attributesOf({ info, user, query }: Pick<Exchange, 'info' | 'user' | 'query'>): Attributes {
  const { verb, group, version, resource, subresource, namespace, path, isResourceRequest } = info;
  const isSelecting = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const fieldSelector = isSelecting ? query.get('fieldSelector') : null;
  const labelSelector = isSelecting ? query.get('labelSelector') : null;
  // A list or watch of one name is a request about that name.
  const name = info.name === '' && fieldSelector !== null ? selectedName(fieldSelector) : info.name;
  return {
    user,
    verb,
    isResourceRequest,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    path,
    ...(fieldSelector === null ? {} : { fieldSelector }),
    ...(labelSelector === null ? {} : { labelSelector }),
  };
}

function selectedName(fieldSelector: string): string {
  for (const term of fieldSelector.split(',', 16)) {
    const match = /^\s*metadata\.name==?([^=!,/%]+)$/.exec(term);
    if (match) return match[1] ?? '';
  }
  return '';
}
