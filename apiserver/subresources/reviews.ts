import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  TokenReview,
} from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest } from '../../shared/errors/bad-request.js';
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
  const kinds: readonly ServedReview[] = [
    { group: authorization, kind: 'SelfSubjectAccessReview', answer: self, older: '1.19' },
    { group: authorization, kind: 'SubjectAccessReview', answer: subject, older: '1.19', form: listOfGroup },
    { group: authorization, kind: 'LocalSubjectAccessReview', answer: local, older: '1.19', form: listOfGroup },
    { group: authorization, kind: 'SelfSubjectRulesReview', answer: rules, older: '1.19' },
    { group: authentication, kind: 'SelfSubjectReview', answer: who, older: '1.30' },
    { group: authentication, kind: 'TokenReview', answer: token, older: '1.19' },
  ];
  return new Map(kinds.flatMap((review) => served(review, given.codec)));
}

const authorization = 'authorization.k8s.io';
const authentication = 'authentication.k8s.io';

interface ServedReview {
  readonly group: string;
  readonly kind: string;
  readonly answer: Answer;
  /** Release in which v1beta1 was deprecated; three later it was gone. */
  readonly older: string;
  /** Where v1beta1 has another form. */
  readonly form?: OlderForm;
}

/** Both change what they are given. */
interface OlderForm {
  readonly toStable: (review: object) => void;
  readonly fromStable: (review: object) => void;
}

type GroupSpec = { spec?: Record<string, unknown> };

function move(review: object, from: string, to: string): void {
  const { spec } = review as GroupSpec;
  if (spec?.[from] === undefined) return;
  spec[to] = spec[from];
  delete spec[from];
}

/** The groups of a subject were called by their singular. */
const listOfGroup: OlderForm = {
  toStable: (review) => move(review, 'group', 'groups'),
  fromStable: (review) => move(review, 'groups', 'group'),
};

function served(review: ServedReview, codec: ObjectCodec): [string, (exchange: Exchange) => Promise<void>][] {
  const { group, kind, answer, older, form } = review;
  const resource = `${kind.toLowerCase()}s`;
  const [major = '1', minor = '0'] = older.split('.');
  const warning = `${group}/v1beta1 ${kind} is deprecated in v${older}+, unavailable in v${major}.${Number(minor) + 3}+; use ${group}/v1 ${kind}`;
  const answerOlder: Answer = async (object, exchange) => {
    exchange.warnings.push(warning);
    exchange.sent.deprecation = warning;
    exchange.audit?.annotate('k8s.io/deprecated', 'true');
    form?.toStable(object);
    const body = await answer(object, exchange);
    form?.fromStable(body);
    return body;
  };
  return [
    [`${group}/v1/${resource}`, (exchange) => respond(exchange, codec, { group, version: 'v1', kind, answer })],
    [
      `${group}/v1beta1/${resource}`,
      (exchange) => respond(exchange, codec, { group, version: 'v1beta1', kind, answer: answerOlder }),
    ],
  ];
}

function refuseInvalid({ kind = '' }: { kind?: string }, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind }, '', errors);
}

async function respond(
  exchange: Exchange,
  codec: ObjectCodec,
  { group, version, kind, answer }: Pick<ServedReview, 'group' | 'kind' | 'answer'> & { readonly version: string },
): Promise<void> {
  const form = negotiate(header(exchange.request, 'accept'), { allowsTable: false, allowsYaml: true });
  const apiVersion = `${group}/${version}`;
  const definition = `io.k8s.api.${group.split('.', 1)[0] ?? ''}.${version}.${kind}`;
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
  const { verdict, reason, error } = await authorizer.authorize(attributes);
  const errors = [...selectorErrors, ...(error === undefined ? [] : [error])];
  return {
    allowed: verdict === 'allow',
    ...(verdict === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(errors.length > 0 ? { evaluationError: errors.join('; ') } : {}),
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
