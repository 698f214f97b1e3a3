import { badRequest } from '../../shared/errors/bad-request.js';
import type { User } from './user.js';

/** One thing that somebody wants to act as; each needs the verb `impersonate` on it. */
export interface ImpersonatedAttribute {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface Impersonation {
  /** Whom the request is made as. */
  readonly user: User;
  readonly attributes: readonly ImpersonatedAttribute[];
}

const prefix = 'impersonate-';
const extraPrefix = 'impersonate-extra-';
const accountForm = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** Whether anything of it stands in the headers, which are in lower case. */
export function hasImpersonation(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (name.startsWith(prefix)) return true;
  return false;
}

/**
 * Reads the headers Impersonate-User, -Group, -Uid and -Extra-KEY as the original does. `rawHeaders` alternates names and
 * values: groups may contain commas, so repeated headers must not be joined first.
 */
export function readImpersonation(rawHeaders: readonly string[]): Impersonation | undefined {
  const given = collect(rawHeaders);
  const { name, uid, groups, extra } = given;
  const isNothing = name === '' && uid === '' && groups.length === 0 && Object.keys(extra).length === 0;
  if (isNothing) return undefined;
  if (name === '') throw badRequest('requested impersonation of groups, uid or extra without impersonating a user');
  const account = accountForm.exec(name);
  const attributes = [account ? accountAttribute(account) : core('users', name)];
  for (const group of groups) attributes.push(core('groups', group));
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) attributes.push({ ...authentication('userextras', value), subresource: key });
  }
  if (uid !== '') attributes.push(authentication('uids', uid));
  const user: User = {
    name,
    groups: completeGroups(name, groups, account?.[1]),
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
  return { user, attributes };
}

interface Given {
  name: string;
  uid: string;
  readonly groups: string[];
  readonly extra: Record<string, string[]>;
}

function collect(rawHeaders: readonly string[]): Given {
  const given: Given = { name: '', uid: '', groups: [], extra: {} };
  const extra = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = rawHeaders[i]?.toLowerCase() ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (!header.startsWith(prefix)) continue;
    if (header === 'impersonate-user') given.name ||= value;
    else if (header === 'impersonate-uid') given.uid ||= value;
    else if (header === 'impersonate-group') given.groups.push(value);
    else if (header.startsWith(extraPrefix)) {
      const key = unescapedKey(header.slice(extraPrefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  return { ...given, extra: Object.fromEntries(extra) };
}

/** Keys are percent-encoded, since they may hold what a header name may not. */
function unescapedKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A ServiceAccount is in its groups even where they are not named; everybody is known or unknown. */
function completeGroups(name: string, given: readonly string[], accountNamespace: string | undefined): string[] {
  const groups =
    given.length === 0 && accountNamespace !== undefined
      ? ['system:serviceaccounts', `system:serviceaccounts:${accountNamespace}`]
      : [...given];
  const isSaid = groups.includes('system:authenticated') || groups.includes('system:unauthenticated');
  if (!isSaid) groups.push(name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated');
  return groups;
}

const core = (resource: string, name: string): ImpersonatedAttribute => ({
  group: '',
  version: 'v1',
  resource,
  subresource: '',
  namespace: undefined,
  name,
});

const accountAttribute = ([, namespace, name = '']: RegExpExecArray): ImpersonatedAttribute => ({
  ...core('serviceaccounts', name),
  namespace,
});

const authentication = (resource: string, name: string): ImpersonatedAttribute => ({
  ...core(resource, name),
  group: 'authentication.k8s.io',
});
