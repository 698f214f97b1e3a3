import type { Clock } from '../../shared/clock/clock.js';
import type { StatusError } from '../../shared/errors/status-error.js';
import type { User } from '../authentication/user.js';
import type { Attributes, Decision } from '../authorization/authorizer.js';
import type { AuditLog } from './audit-log.js';
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
  readonly log: AuditLog;
  readonly clock: Clock;
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
  #bodies: { request?: Buffer; response?: Buffer } = {};
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

  decided({ verdict, reason }: Decision): void {
    if (!this.#plan) return;
    this.#annotations['authorization.k8s.io/decision'] = verdict === 'allow' ? 'allow' : 'forbid';
    this.#annotations['authorization.k8s.io/reason'] = reason;
  }

  requestBody(bytes: Buffer): void {
    const level = this.#plan?.level;
    if (level === 'Request' || level === 'RequestResponse') this.#keep('request', bytes);
  }

  responseBody(bytes: Buffer): void {
    if (this.#plan?.level === 'RequestResponse') this.#keep('response', bytes);
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

  #keep(which: 'request' | 'response', bytes: Buffer): void {
    if (bytes.length <= maxBodyBytes) this.#bodies[which] = bytes;
    else this.#annotations['audit.k8s.io/truncated'] = 'true';
  }

  #write(stage: AuditStage, code?: number): void {
    if (!this.#plan || !this.#attributes || this.#plan.omitStages.has(stage)) return;
    this.#auditor.log.add(JSON.stringify(this.#event(this.#plan, this.#attributes, stage, code)));
  }

  #event(plan: AuditPlan, attributes: Attributes, stage: AuditStage, code: number | undefined): object {
    const { auditId, uri, sourceIps, userAgent } = this.#request;
    const body = (bytes: Buffer | undefined): object | undefined => bodyOf(bytes, plan.omitManagedFields);
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
      objectRef: attributes.isResourceRequest ? objectRef(attributes) : undefined,
      responseStatus: code === undefined ? undefined : statusOf(code, this.#failure),
      requestObject: isFirst ? undefined : body(this.#bodies.request),
      responseObject: stage === 'ResponseComplete' ? body(this.#bodies.response) : undefined,
      requestReceivedTimestamp: microTime(this.#receivedMs),
      stageTimestamp: microTime(this.#auditor.clock.now()),
      annotations: Object.keys(this.#annotations).length > 0 ? this.#annotations : undefined,
    };
  }
}

const microTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`;

const userInfo = ({ name, uid, groups, extra }: User): object => ({ username: name, uid, groups, extra });

function objectRef({ resource, subresource, namespace, name, group, version }: Attributes): object {
  return {
    resource,
    namespace,
    name: name || undefined,
    apiGroup: group || undefined,
    apiVersion: version,
    subresource: subresource || undefined,
  };
}

function statusOf(code: number, failure: StatusError | undefined): object {
  if (!failure) return { metadata: {}, code };
  const { status, message, reason, details } = failure.toStatus();
  return { metadata: {}, status, message, reason, details, code };
}

/** JSON bodies as objects; of anything else (streams, protobuf, YAML) nothing is written. */
function bodyOf(bytes: Buffer | undefined, omitManagedFields: boolean): object | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    if (omitManagedFields) dropManagedFields(value);
    return value;
  } catch {
    return undefined;
  }
}

function dropManagedFields(value: object): void {
  const { metadata, items } = value as { metadata?: { managedFields?: unknown }; items?: unknown };
  if (typeof metadata === 'object' && metadata !== null) delete metadata.managedFields;
  if (Array.isArray(items)) {
    for (const item of items) if (typeof item === 'object' && item !== null) dropManagedFields(item as object);
  }
}
