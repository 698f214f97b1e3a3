import type { User } from '../authentication/user.js';

const prefix = 'system:node:';

/** The node that the user speaks for; undefined for everybody who is not a kubelet. */
export function nodeNameOf({ name, groups }: User): string | undefined {
  if (!groups.includes('system:nodes') || !name.startsWith(prefix)) return undefined;
  const node = name.slice(prefix.length);
  return node === '' ? undefined : node;
}
