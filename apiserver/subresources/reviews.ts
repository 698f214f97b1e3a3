import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  TokenReview,
} from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { isForbidden, StatusError } from '../../shared/errors/status-error.js';
import type { Authenticator } from '../authentication/authenticator.js';
import type { User } from '../authentication/user.js';
import type { Authorizer, KnownRules } from '../authorization/authorizer.js';
import { negotiate } from '../http/accept.js';
import { readBody } from '../http/body.js';
import { header, type Exchange } from '../http/exchange.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { VirtualResources } from '../http/resource-handler.js';
import { sendObject } from '../http/respond.js';
import { writeOptions } from '../http/write-request.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { invalid } from '../registry/status-errors.js';
import type { FieldError } from '../validation/field-error.js';
import {
  accessQuestion,
  validateAccessSpec,
  validateLocalSpec,
  validateNoMetadata,
  type AccessSpec,
} from './access-review.js';

export interface ReviewDependencies {
  readonly codec: ObjectCodec;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
}

/** Clients that apply leave it behind. */
const kept = ['managedFields'];
type Answer = (given: KubernetesObject, exchange: Exchange) => object | Promise<object>;

/** Questions about identity and rights that are asked by creating an object which is answered and not kept. */
export function reviewResources(given: ReviewDependencies): VirtualResources {
  const { authorizer, authenticator } = given;
  const authorization = 'authorization.k8s.io/v1';
  const authentication = 'authentication.k8s.io/v1';
  const self: Answer = async (object, { user }) => {
    const review = object as unknown as SelfSubjectAccessReview;
    const spec = review.spec ?? {};
    refuseInvalid(review, [...validateAccessSpec(spec, false), ...validateNoMetadata(object.metadata, kept)]);
    return { ...review, status: await decide(authorizer, user, spec) };
  };
  const answerFor = async (review: SubjectAccessReview): Promise<object> => {
    const { user = '', groups = [], uid, extra } = review.spec;
    const asked: User = { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
    return { ...review, status: await decide(authorizer, asked, review.spec) };
  };
  const subject: Answer = (object) => {
    const review = object as unknown as SubjectAccessReview;
    review.spec ??= {};
    refuseInvalid(review, [...validateAccessSpec(review.spec, true), ...validateNoMetadata(object.metadata, kept)]);
    return answerFor(review);
  };
  const local: Answer = (object, { info }) => {
    const review = object as unknown as LocalSubjectAccessReview;
    review.spec ??= {};
    const namespace = object.metadata.namespace ?? info.namespace ?? '';
    if (namespace !== info.namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    object.metadata.namespace = namespace;
    refuseInvalid(review, [
      ...validateAccessSpec(review.spec, true),
      ...validateNoMetadata(object.metadata, [...kept, 'namespace']),
      ...validateLocalSpec(review.spec, namespace),
    ]);
    return answerFor(review);
  };
  const rules: Answer = (object, { user }) => {
    const review = object as unknown as SelfSubjectRulesReview;
    const namespace = review.spec?.namespace ?? '';
    if (namespace === '') throw badRequest('no namespace on request');
    return { ...review, status: rulesStatus(authorizer.rulesFor(user, namespace)) };
  };
  const who: Answer = (object, { user }) => ({ ...object, status: { userInfo: userInfo(user) } });
  const token: Answer = (object) => reviewToken(authenticator, object as unknown as TokenReview);
  const serve = (apiVersion: string, kind: string, answer: Answer) => (exchange: Exchange) =>
    respond(exchange, given.codec, apiVersion, kind, answer);
  return new Map([
    [`${authorization}/selfsubjectaccessreviews`, serve(authorization, 'SelfSubjectAccessReview', self)],
    [`${authorization}/subjectaccessreviews`, serve(authorization, 'SubjectAccessReview', subject)],
    [`${authorization}/localsubjectaccessreviews`, serve(authorization, 'LocalSubjectAccessReview', local)],
    [`${authorization}/selfsubjectrulesreviews`, serve(authorization, 'SelfSubjectRulesReview', rules)],
    [`${authentication}/selfsubjectreviews`, serve(authentication, 'SelfSubjectReview', who)],
    [`${authentication}/tokenreviews`, serve(authentication, 'TokenReview', token)],
  ]);
}

function refuseInvalid({ kind = '' }: { kind?: string }, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind }, '', errors);
}

async function respond(
  exchange: Exchange,
  codec: ObjectCodec,
  apiVersion: string,
  kind: string,
  answer: Answer,
): Promise<void> {
  const form = negotiate(header(exchange.request, 'accept'), { allowsTable: false, allowsYaml: true });
  const definition = `io.k8s.api.${apiVersion.split('.', 1)[0] ?? ''}.v1.${kind}`;
  const bytes = await readBody(exchange);
  const contentType = header(exchange.request, 'content-type');
  const given = codec.decode(bytes, contentType, { apiVersion, kind, definition }, writeOptions(exchange));
  given.metadata ??= {} as KubernetesObject['metadata'];
  const body = await answer(given, exchange);
  sendObject(exchange, 201, Buffer.from(JSON.stringify(body)), form);
}

async function decide(
  authorizer: Authorizer,
  user: User,
  spec: Partial<AccessSpec>,
): Promise<SubjectAccessReviewStatus> {
  const { attributes, selectorErrors } = accessQuestion(user, spec);
  const { verdict, reason } = await authorizer.authorize(attributes);
  return {
    allowed: verdict === 'allow',
    ...(verdict === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(selectorErrors.length > 0 ? { evaluationError: selectorErrors.join('; ') } : {}),
  };
}

function rulesStatus({ rules, incomplete }: KnownRules): object {
  const ofPaths = rules.filter(({ nonResourceURLs }) => nonResourceURLs !== undefined && nonResourceURLs.length > 0);
  const ofResources = rules.filter(({ resources }) => resources !== undefined && resources.length > 0);
  return {
    resourceRules: ofResources.map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames ? { resourceNames } : {}),
    })),
    nonResourceRules: ofPaths.map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: incomplete !== undefined,
    ...(incomplete === undefined ? {} : { evaluationError: incomplete }),
  };
}

async function reviewToken(authenticator: Authenticator, review: TokenReview): Promise<object> {
  const { token, audiences } = review.spec ?? {};
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  try {
    const found = await authenticator.review(token, audiences?.length ? audiences : undefined);
    if (!found) return { ...review, status: { user: {}, error: 'invalid bearer token' } };
    const status = { authenticated: true, user: userInfo(found.user), audiences: found.audiences };
    return { ...review, status };
  } catch (error) {
    if (!(error instanceof StatusError) || isForbidden(error)) throw error;
    return { ...review, status: { user: {}, error: `[invalid bearer token, ${error.message}]` } };
  }
}

function userInfo({ name, uid, groups, extra }: User): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}
