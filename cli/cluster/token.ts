import { randomBytes } from 'node:crypto';
import { secrets } from '../../shared/api/generated/resources.js';
import type { Client } from '../../shared/client/client.js';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Characters drawn evenly: bytes beyond the last whole multiple of the alphabet are drawn again. */
function randomText(length: number, random: (size: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) if (byte < 252 && text.length < length) text += alphabet[byte % alphabet.length];
  }
  return text;
}

/** Writes a bootstrap token that lasts `ttlMs`, as `kubeadm token create` does, and returns `ID.SECRET`. */
export async function createBootstrapToken(
  client: Client,
  options: { ttlMs: number; description?: string; now: number; random?: (size: number) => Uint8Array },
): Promise<string> {
  const random = options.random ?? randomBytes;
  const id = randomText(6, random);
  const secret = randomText(16, random);
  await client.create(secrets, {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': secret,
      expiration: new Date(options.now + options.ttlMs).toISOString().replace(/\.\d+Z$/, 'Z'),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      ...(options.description ? { description: options.description } : {}),
    },
  });
  return `${id}.${secret}`;
}
