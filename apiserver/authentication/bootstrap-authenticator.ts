import { timingSafeEqual } from 'node:crypto';
import { secrets } from '../../shared/api/generated/resources.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { AuthenticatedToken, TokenAuthenticator } from './authenticator.js';

const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const extraGroupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Tokens of joining nodes: `ID.SECRET`, kept in the Secret kube-system/bootstrap-token-ID. */
export class BootstrapAuthenticator implements TokenAuthenticator {
  readonly #objects: ObjectReader;
  readonly #clock: Clock;

  constructor(objects: ObjectReader, clock: Clock) {
    this.#objects = objects;
    this.#clock = clock;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const [, id = '', secret = ''] = form.exec(token) ?? [];
    if (id === '') return undefined;
    const stored = this.#objects.find(secrets, 'kube-system', `bootstrap-token-${id}`);
    if (!stored || stored.metadata.deletionTimestamp || stored.type !== 'bootstrap.kubernetes.io/token')
      return undefined;
    const value = (key: string): string => Buffer.from(stored.data?.[key] ?? '', 'base64').toString('utf8');
    if (value('token-id') !== id || !isEqual(value('token-secret'), secret)) return undefined;
    const expiration = value('expiration');
    if (expiration !== '' && !(Date.parse(expiration) > this.#clock.now())) return undefined;
    if (value('usage-bootstrap-authentication') !== 'true') return undefined;
    const extra = value('auth-extra-groups')
      .split(',')
      .map((group) => group.trim())
      .filter((g) => extraGroupForm.test(g));
    return {
      user: { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra] },
      audiences,
    };
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
