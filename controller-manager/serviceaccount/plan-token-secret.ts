import type { Secret, ServiceAccount } from '../../shared/api/generated/types.js';

export const TOKEN_SECRET_TYPE = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

/** What to do with a Secret that is to hold the token of a ServiceAccount. */
export type TokenSecretPlan =
  | { readonly type: 'keep' }
  /** Its account is gone, or is another one of the same name. */
  | { readonly type: 'delete' }
  | { readonly type: 'fill'; readonly account: string; readonly needsToken: boolean; readonly secret: Secret };

export const accountNameOf = ({ metadata }: Secret): string => metadata.annotations?.[nameAnnotation] ?? '';

/** `rootCa` is PEM text. The token itself is not decided here: it has to be asked for. */
export function planTokenSecret(
  secret: Secret,
  account: ServiceAccount | undefined,
  rootCa: string | undefined,
): TokenSecretPlan {
  const { annotations = {}, namespace = '' } = secret.metadata;
  if (secret.type !== TOKEN_SECRET_TYPE || secret.metadata.deletionTimestamp) return { type: 'keep' };
  const uid = annotations[uidAnnotation];
  if (!account || (uid && uid !== account.metadata.uid)) return { type: 'delete' };
  const wanted = {
    namespace: base64(namespace),
    ...(rootCa === undefined ? {} : { 'ca.crt': base64(rootCa) }),
  };
  const data = { ...secret.data, ...wanted };
  const needsToken = !secret.data?.['token'];
  const isRight = uid !== undefined && Object.entries(wanted).every(([key, value]) => secret.data?.[key] === value);
  if (isRight && !needsToken) return { type: 'keep' };
  const metadata = { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: account.metadata.uid ?? '' } };
  return { type: 'fill', account: account.metadata.name ?? '', needsToken, secret: { ...secret, metadata, data } };
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
