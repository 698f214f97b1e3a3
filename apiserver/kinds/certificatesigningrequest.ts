import { humanDuration } from '../../shared/api/duration.js';
import { certificatesigningrequests } from '../../shared/api/generated/resources.js';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../shared/api/generated/types.js';
import { validateCertificateSigningRequest, validateCertificateUpdate } from '../validation/certificate.js';
import type { Strategy } from '../registry/definition.js';
import type { FieldError } from '../validation/field-error.js';
import { isPathSegmentName } from '../validation/names.js';
import { ageColumn, column, nameColumn, orNone } from './column.js';
import { defineKind } from './kind.js';

/** The rules of v1, or of the version before it. */
export function certificateStrategy(isOlder: boolean): Strategy<CertificateSigningRequest> {
  return {
    validateName: isPathSegmentName,
    // Who asks is written by the admission plugin CertificateRequester, which knows it.
    prepareForCreate: (request) => {
      request.status = {};
    },
    validate: (request) => validateCertificateSigningRequest(request, isOlder),
    prepareForUpdate: (request, old) => {
      request.spec = old.spec;
      if (old.status) request.status = old.status;
      else delete request.status;
    },
    validateUpdate: (request, old) => validateCertificateUpdate(request, old, false),
    prepareForStatusUpdate: (request, old) => {
      request.spec = old.spec;
      keepDecisions(request, old);
    },
    validateStatusUpdate: (request, old) => validateCertificateUpdate(request, old, false),
  };
}

export const certificateSigningRequestDefinition = defineKind<CertificateSigningRequest>({
  resource: certificatesigningrequests,
  shortNames: ['csr'],
  subresources: ['status', 'approval'],
  columns: [
    nameColumn(),
    ageColumn(),
    column('SignerName', ({ spec }) => orNone(spec.signerName), { description: 'Who shall sign the request.' }),
    column('Requestor', ({ spec }) => spec.username ?? '', { description: 'The user who made the request.' }),
    column(
      'RequestedDuration',
      ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000)),
      { description: 'How long the certificate shall be valid.' },
    ),
    column('Condition', conditionText, { description: 'How far the request has come.' }),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  strategy: certificateStrategy(false),
});

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((condition) => condition.type === type);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`;
}

type Condition = CertificateSigningRequestCondition;
const isDecision = ({ type }: Condition): boolean => type === 'Approved' || type === 'Denied';

/** /status signs or fails a request; to approve or to deny it is for /approval. */
function keepDecisions(request: CertificateSigningRequest, old: CertificateSigningRequest): void {
  const decisions = (old.status?.conditions ?? []).filter(isDecision);
  const others = (request.status?.conditions ?? []).filter((condition) => !isDecision(condition));
  const conditions = [...decisions, ...others];
  request.status = { ...request.status };
  if (conditions.length > 0) request.status.conditions = conditions;
  else delete request.status.conditions;
}

/** For /approval: only conditions change; new ones get their times. */
export function prepareForApproval(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  nowIso: string,
): void {
  const conditions = (request.status?.conditions ?? []).map((condition) => timed(condition, old, nowIso));
  request.spec = old.spec;
  request.status = { ...old.status, conditions };
}

function timed(condition: Condition, old: CertificateSigningRequest, nowIso: string): Condition {
  const before = old.status?.conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime =
    condition.lastTransitionTime ??
    (before?.status === condition.status ? before.lastTransitionTime : nowIso) ??
    nowIso;
  return { ...condition, lastUpdateTime: condition.lastUpdateTime ?? nowIso, lastTransitionTime };
}

/** For /approval, after {@link prepareForApproval}. */
export const validateApproval = (request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] =>
  validateCertificateUpdate(request, old, true);
