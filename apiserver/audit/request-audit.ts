import type { Clock } from '../../shared/clock/clock.js';
import type { StatusError } from '../../shared/errors/status-error.js';
import type { User } from '../authentication/user.js';
import type { Attributes, Decision } from '../authorization/authorizer.js';
import type { AuditBackends } from './audit-backends.js';
import type { AuditPlan, AuditPolicy, AuditStage } from './policy.js';

/** What is known of a request from the first moment. */
export interface AuditedRequest {
  readonly auditId: string;
  readonly uri: string;
  readonly sourceIps: readonly string[];
  readonly userAgent: string | undefined;
}

export interface Auditor {
  readonly policy: AuditPolicy;
  readonly log: Pick<AuditBackends, 'add'>;
  readonly clock: Clock;
  /** A body as the JSON value that it stands for; undefined when it cannot be read. */
  readonly readBody: (bytes: Buffer, contentType: string | undefined) => unknown;
}

/**
 * Notes something in the audit log's entry of a request, by a key `DOMAIN/WORD`.
 * @param level from which on it is written down; default: wherever the request is
 */
export type Annotate = (key: string, value: string, level?: 'Metadata' | 'Request') => void;

/** What the object of a write says of itself. */
export interface ObjectNames {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

interface Body {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
}

/** Bodies beyond this are left out and the event says so: as the original's truncating backend. */
const maxBodyBytes = 100 * 1024;

/** Who did what, when, and how it ended: collects what the pipeline learns of one request and writes an event at each stage. */
export class RequestAudit {
  readonly #auditor: Auditor;
  readonly #request: AuditedRequest;
  readonly #receivedMs: number;
  #plan: AuditPlan | undefined;
  #attributes: Attributes | undefined;
  #impersonated: User | undefined;
  #annotations: Record<string, string> = {};
  #bodies: { request?: Body; response?: Body } = {};
  #names: ObjectNames = {};
  #failure: StatusError | undefined;

  constructor(auditor: Auditor, request: AuditedRequest) {
    this.#auditor = auditor;
    this.#request = request;
    this.#receivedMs = auditor.clock.now();
  }

  /** Once it is known who asks. */
  begin(attributes: Attributes): void {
    const plan = this.#auditor.policy.planFor(attributes);
    if (plan.level === 'None') return;
    this.#plan = plan;
    this.#attributes = attributes;
    this.#write('RequestReceived');
  }

  impersonate(user: User): void {
    this.#impersonated = user;
  }

  decided({ verdict, reason, error }: Decision): void {
    if (!this.#plan) return;
    if (verdict !== 'allow' && error !== undefined) {
      this.#annotations['authorization.k8s.io/reason'] = 'internal error';
      return;
    }
    this.#annotations['authorization.k8s.io/decision'] = verdict === 'allow' ? 'allow' : 'forbid';
    this.#annotations['authorization.k8s.io/reason'] = reason;
  }

  /** Notes something by a key `DOMAIN/WORD`. What has been noted once stays, as in the original. */
  annotate(key: string, value: string, level: Parameters<Annotate>[2] = 'Metadata'): void {
    if (!this.#plan || Object.hasOwn(this.#annotations, key)) return;
    const isDetailed = this.#plan.level === 'Request' || this.#plan.level === 'RequestResponse';
    if ((level === 'Metadata' || isDetailed) && this.#fits(value.length)) this.#annotations[key] = value;
  }

  /** What the object that was sent says of itself where the URL does not. */
  sent({ namespace, name, uid, resourceVersion }: ObjectNames): void {
    if (this.#plan) this.#names = { namespace, name, uid, resourceVersion };
  }

  /** The name that an object without one was given. */
  named(name: string): void {
    if (this.#plan && !this.#names.name) this.#names = { ...this.#names, name };
  }

  requestBody(bytes: Buffer, contentType: string | undefined): void {
    const level = this.#plan?.level;
    if ((level === 'Request' || level === 'RequestResponse') && this.#fits(bytes.length)) {
      this.#bodies.request = { bytes, contentType };
    }
  }

  /** Whether an answer of that size is to be written down: a streamed one is put together for it. */
  wantsResponse(sizeBytes: number): boolean {
    return this.#plan?.level === 'RequestResponse' && this.#fits(sizeBytes);
  }

  responseBody(bytes: Buffer, contentType: string): void {
    if (this.wantsResponse(bytes.length)) this.#bodies.response = { bytes, contentType };
  }

  failed(error: StatusError): void {
    this.#failure = error;
  }

  panicked(error: StatusError): void {
    this.#failure = error;
    this.#write('Panic', error.code);
  }

  started(code: number): void {
    this.#write('ResponseStarted', code);
  }

  completed(code: number): void {
    this.#write('ResponseComplete', code);
  }

  #fits(sizeBytes: number): boolean {
    if (sizeBytes <= maxBodyBytes) return true;
    this.#annotations['audit.k8s.io/truncated'] = 'true';
    return false;
  }

  #write(stage: AuditStage, code?: number): void {
    if (!this.#plan || !this.#attributes || this.#plan.omitStages.has(stage)) return;
    this.#auditor.log.add(JSON.stringify(this.#event(this.#plan, this.#attributes, stage, code)));
  }

  #event(plan: AuditPlan, attributes: Attributes, stage: AuditStage, code: number | undefined): object {
    const { auditId, uri, sourceIps, userAgent } = this.#request;
    const isFirst = stage === 'RequestReceived';
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: plan.level,
      auditID: auditId,
      stage,
      requestURI: uri,
      verb: attributes.verb,
      user: userInfo(attributes.user),
      impersonatedUser: this.#impersonated && userInfo(this.#impersonated),
      sourceIPs: sourceIps,
      userAgent,
      objectRef: attributes.isResourceRequest ? objectRef(attributes, this.#names) : undefined,
      responseStatus: code === undefined ? undefined : statusOf(code, this.#failure),
      requestObject: isFirst ? undefined : this.#bodyOf(this.#bodies.request, plan),
      responseObject: stage === 'ResponseComplete' ? this.#bodyOf(this.#bodies.response, plan) : undefined,
      requestReceivedTimestamp: microTime(this.#receivedMs),
      stageTimestamp: microTime(this.#auditor.clock.now()),
      annotations: Object.keys(this.#annotations).length > 0 ? this.#annotations : undefined,
    };
  }

  /** Whatever it was sent as; of what is no object or list (text, streams) nothing is written. */
  #bodyOf(body: Body | undefined, { omitManagedFields }: AuditPlan): object | undefined {
    if (!body || body.bytes.length === 0) return undefined;
    const value = this.#auditor.readBody(body.bytes, body.contentType);
    if (typeof value !== 'object' || value === null) return undefined;
    if (omitManagedFields) dropManagedFields(value);
    return value;
  }
}

const microTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`;

const userInfo = ({ name, uid, groups, extra }: User): object => ({ username: name, uid, groups, extra });

/** What the URL says counts; the rest is what the object says of itself. */
function objectRef(attributes: Attributes, names: ObjectNames): object {
  const { resource, subresource, namespace, name, group, version } = attributes;
  return {
    resource,
    namespace: namespace ?? (names.namespace || undefined),
    name: name || names.name || undefined,
    uid: names.uid || undefined,
    apiGroup: group || undefined,
    apiVersion: version,
    resourceVersion: names.resourceVersion || undefined,
    subresource: subresource || undefined,
  };
}

function statusOf(code: number, failure: StatusError | undefined): object {
  if (!failure) return { metadata: {}, code };
  const { status, message, reason, details } = failure.toStatus();
  return { metadata: {}, status, message, reason, details, code };
}

function dropManagedFields(value: object): void {
  const { metadata, items } = value as { metadata?: { managedFields?: unknown }; items?: unknown };
  if (typeof metadata === 'object' && metadata !== null) delete metadata.managedFields;
  if (Array.isArray(items)) {
    for (const item of items) if (typeof item === 'object' && item !== null) dropManagedFields(item as object);
  }
}
