import { StatusError, type StatusDetails } from '../../../shared/errors/status-error.js';
import type { AdmissionRequest } from '../admission.js';
import type { Reviewed } from '../matching/reviewed.js';
import { CallError } from './webhook-client.js';

/** The versions of AdmissionReview that are spoken. */
const versions = ['v1', 'v1beta1'];

/** The first version that both sides know. */
export function reviewVersion(accepted: readonly string[]): string {
  const found = accepted.find((version) => versions.includes(version));
  if (found) return found;
  throw new CallError('webhook does not accept known AdmissionReview versions (v1, v1beta1)');
}

/** Body of the question that a webhook is asked. */
export function admissionReview(request: AdmissionRequest, reviewed: Reviewed, uid: string, version: string): Buffer {
  const { definition, user, subresource } = request;
  const { group, version: apiVersion, resource, kind } = definition.resource;
  const sub = subresource === '' ? {} : { subResource: subresource };
  const requestSub = subresource === '' ? {} : { requestSubResource: subresource };
  return Buffer.from(
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: `admission.k8s.io/${version}`,
      request: {
        uid,
        kind: reviewed.kind,
        resource: pick(reviewed.resource),
        ...sub,
        requestKind: request.kind ?? (subresource === 'scale' ? reviewed.kind : { group, version: apiVersion, kind }),
        requestResource: { group, version: apiVersion, resource },
        ...requestSub,
        ...(request.name ? { name: request.name } : {}),
        ...(request.namespace ? { namespace: request.namespace } : {}),
        operation: request.operation,
        userInfo: {
          username: user.name,
          ...(user.uid ? { uid: user.uid } : {}),
          ...(user.groups.length > 0 ? { groups: user.groups } : {}),
          ...(user.extra ? { extra: user.extra } : {}),
        },
        object: reviewed.object ?? null,
        oldObject: reviewed.oldObject ?? null,
        dryRun: request.isDryRun,
        options: request.options ?? null,
      },
    }),
  );
}

const pick = ({ group, version, resource }: Reviewed['resource']): Reviewed['resource'] => ({
  group,
  version,
  resource,
});

/** What a webhook said, checked. */
export interface ReviewAnswer {
  readonly isAllowed: boolean;
  readonly status: AnswerStatus;
  readonly warnings: readonly string[];
  readonly annotations: readonly (readonly [string, string])[];
  /** Operations of a JSON patch. */
  readonly patch: readonly unknown[];
}

interface AnswerStatus {
  readonly code?: number;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
}

const maxWarnings = 32;
const maxAnnotations = 64;

/** Throws a {@link CallError} for an answer to another question, or in another form. */
export function readAnswer(given: unknown, uid: string, version: string, mayPatch: boolean): ReviewAnswer {
  const review = asRecord(given);
  const wanted = `admission.k8s.io/${version}`;
  if (review['kind'] !== 'AdmissionReview' || review['apiVersion'] !== wanted) {
    const got = `${text(review['apiVersion'])}, Kind=${text(review['kind'])}`;
    throw invalidAnswer(`expected webhook response of ${wanted}, Kind=AdmissionReview, got ${got}`);
  }
  const response = asRecord(review['response']);
  if (review['response'] === undefined || review['response'] === null) {
    throw invalidAnswer('webhook response was absent');
  }
  if (version === 'v1' && response['uid'] !== uid) {
    throw invalidAnswer(`expected response.uid="${uid}", got ${JSON.stringify(text(response['uid']))}`);
  }
  const patch = readPatch(response, version, mayPatch);
  const warnings = Array.isArray(response['warnings']) ? response['warnings'] : [];
  const status = asRecord(response['status']);
  return {
    isAllowed: response['allowed'] === true,
    status: {
      ...(typeof status['code'] === 'number' ? { code: status['code'] } : {}),
      ...(typeof status['message'] === 'string' ? { message: status['message'] } : {}),
      ...(typeof status['reason'] === 'string' ? { reason: status['reason'] } : {}),
      ...(status['details'] ? { details: asRecord(status['details']) as StatusDetails } : {}),
    },
    warnings: warnings.slice(0, maxWarnings).map(text),
    annotations: Object.entries(asRecord(response['auditAnnotations']))
      .slice(0, maxAnnotations)
      .map(([key, value]) => [key, text(value)] as const),
    patch,
  };
}

function readPatch(response: Record<string, unknown>, version: string, mayPatch: boolean): readonly unknown[] {
  const { patch, patchType } = response;
  const hasPatch = typeof patch === 'string' && patch !== '';
  if (version === 'v1') {
    if (!mayPatch && patchType !== undefined && patchType !== null) {
      throw invalidAnswer('response.patchType may not be set');
    }
    if (!mayPatch && hasPatch) throw invalidAnswer('response.patch may not be set');
    if (hasPatch && !patchType) {
      throw invalidAnswer('webhook returned response.patch but not response.patchType');
    }
    if (!hasPatch && patchType) throw invalidAnswer('webhook returned response.patchType but not response.patch');
    if (hasPatch && patchType !== 'JSONPatch') {
      throw invalidAnswer(
        `invalid value of response.patchType ${JSON.stringify(text(patchType))}, must be "JSONPatch"`,
      );
    }
  }
  if (!hasPatch || !mayPatch) return [];
  try {
    const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
    if (Array.isArray(operations)) return operations;
  } catch {
    // Said below.
  }
  throw new CallError('received undecodable patch in webhook response: it is no JSON array of operations');
}

const invalidAnswer = (why: string): CallError => new CallError(`received invalid webhook response: ${why}`);
const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The refusal of a webhook as the client gets it. */
export function denial(name: string, { code = 0, message, reason, details }: AnswerStatus): StatusError {
  const said = message || reason;
  const why = said ? `: ${said}` : ' without explanation';
  const text = `admission webhook ${JSON.stringify(name)} denied the request${why}`;
  return new StatusError(code >= 400 && code <= 599 ? code : 400, reason ?? '', text, details);
}
