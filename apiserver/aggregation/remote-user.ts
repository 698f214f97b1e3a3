import type { User } from '../authentication/user.js';
import type { Headers } from '../subresources/forward.js';

/** Names of the headers that say who asks; published so that extension servers know them. */
export const requestHeaders = {
  username: 'X-Remote-User',
  uid: 'X-Remote-Uid',
  group: 'X-Remote-Group',
  extraPrefix: 'X-Remote-Extra-',
} as const;

/** As whom the server itself asks an extension server what it serves. */
export const aggregatorUser: User = Object.freeze({ name: 'system:kube-aggregator', groups: ['system:masters'] });

const remote = /^x-remote-/;
/** What a header name may consist of (RFC 9110 5.6.2), but for the escape itself. */
const notToken = /[^a-z0-9!#$&'*+.^_`|~-]/gu;

/** Headers that tell an extension server who asks. What the client says of that is dropped. */
export function withRemoteUser(headers: Headers, user: User): Headers {
  const told: Headers = {};
  for (const [name, value] of Object.entries(headers)) if (!remote.test(name)) told[name] = value;
  told[requestHeaders.username] = latin1(user.name);
  if (user.uid) told[requestHeaders.uid] = latin1(user.uid);
  if (user.groups.length > 0) told[requestHeaders.group] = user.groups.map(latin1);
  for (const [key, values] of Object.entries(user.extra ?? {}))
    told[requestHeaders.extraPrefix + escapedKey(key)] = values.map(latin1);
  return told;
}

/** Header values are bytes: those of UTF-8, as Go sends them; control characters cannot be sent at all. */
// oxlint-disable-next-line no-control-regex
const latin1 = (text: string): string => Buffer.from(text.replace(/[\0-\x1f\x7f]/g, ' '), 'utf8').toString('latin1');

const escapedKey = (key: string): string =>
  key
    .toLowerCase()
    .replace(notToken, (character) =>
      [...Buffer.from(character, 'utf8')]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    );
