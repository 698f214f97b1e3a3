import { nodes, pods, secrets } from '../../shared/api/generated/resources.js';
import type { AuthenticationV1TokenRequest, ServiceAccount } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { timestamp } from '../registry/object-metadata.js';
import { conflict, invalid, notFound } from '../registry/status-errors.js';
import { invalid as invalidField, type FieldError } from '../validation/field-error.js';
import type { ServiceAccountClaims, TokenSigner } from './service-account-token.js';

export interface TokenIssuerOptions {
  readonly signer: TokenSigner;
  readonly issuer: string;
  readonly objects: ObjectReader;
  readonly clock: Clock;
  readonly newUid: () => string;
}

type Account = ServiceAccount & KubernetesObject;
type Bound = Omit<ServiceAccountClaims['kubernetes.io'], 'namespace' | 'serviceaccount'>;

const minSeconds = 600;
const maxSeconds = 2 ** 32;
const defaultSeconds = 3600;
/** Pods get an hour and seven seconds; such a token lives a year, and who still shows it after the hour is warned. */
const podSeconds = 3607;
const extendedSeconds = 365 * 24 * 3600;

/** Answers a TokenRequest: a token for `account`, bound to what the request names. The request is changed and returned. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;

  constructor(options: TokenIssuerOptions) {
    this.#options = options;
  }

  issue(account: Account, request: AuthenticationV1TokenRequest): AuthenticationV1TokenRequest {
    const { issuer, clock, signer, newUid } = this.#options;
    const spec = (request.spec ??= { audiences: [] });
    const audiences = spec.audiences?.length ? spec.audiences : [issuer];
    spec.audiences = audiences;
    spec.expirationSeconds ??= defaultSeconds;
    const errors = check(spec.expirationSeconds);
    if (errors.length > 0) {
      throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, account.metadata.name, errors);
    }
    const bound = this.#bind(account, spec.boundObjectRef);
    const nowSeconds = Math.floor(clock.now() / 1000);
    const isExtended =
      spec.expirationSeconds === podSeconds && bound.pod !== undefined && audiences.every((a) => a === issuer);
    const lifetime = isExtended ? extendedSeconds : spec.expirationSeconds;
    const { namespace = '', name, uid } = account.metadata;
    const claims: ServiceAccountClaims = {
      aud: audiences,
      exp: nowSeconds + lifetime,
      iat: nowSeconds,
      iss: issuer,
      jti: newUid(),
      'kubernetes.io': {
        namespace,
        ...bound,
        serviceaccount: { name, uid },
        ...(isExtended ? { warnafter: nowSeconds + podSeconds } : {}),
      },
      nbf: nowSeconds,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    request.status = {
      token: signer.sign(claims),
      expirationTimestamp: timestamp((nowSeconds + spec.expirationSeconds) * 1000),
    };
    return request;
  }

  #bind(account: Account, ref: AuthenticationV1TokenRequest['spec']['boundObjectRef']): Bound {
    if (!ref?.kind) return {};
    const { objects } = this.#options;
    const { namespace = '' } = account.metadata;
    const { name = '', uid, kind } = ref;
    const checked = <T extends KubernetesObject>(found: T | undefined, resource: Parameters<typeof notFound>[0]): T => {
      if (!found) throw notFound(resource, name);
      if (uid && uid !== found.metadata.uid) {
        const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
        throw conflict(resource, name, why);
      }
      return found;
    };
    switch (kind) {
      case 'Pod': {
        const pod = checked(objects.find(pods, namespace, name), pods);
        if ((pod.spec.serviceAccountName ?? '') !== account.metadata.name) {
          throw new StatusError(
            400,
            'BadRequest',
            `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
          );
        }
        const { nodeName } = pod.spec;
        const node = nodeName ? objects.find(nodes, undefined, nodeName) : undefined;
        return {
          ...(nodeName ? { node: { name: nodeName, uid: node?.metadata.uid ?? '' } } : {}),
          pod: { name, uid: pod.metadata.uid },
        };
      }
      case 'Secret':
        return { secret: { name, uid: checked(objects.find(secrets, namespace, name), secrets).metadata.uid } };
      case 'Node':
        return { node: { name, uid: checked(objects.find(nodes, undefined, name), nodes).metadata.uid } };
      default:
        throw new StatusError(
          400,
          'BadRequest',
          `cannot bind token to object of type ${ref.apiVersion ?? 'v1'}, Kind=${kind}`,
        );
    }
  }
}

function check(seconds: number): FieldError[] {
  if (seconds < minSeconds) {
    return [invalidField('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')];
  }
  if (seconds > maxSeconds) {
    return [invalidField('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')];
  }
  return [];
}
