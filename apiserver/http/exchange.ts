import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { JsonObject } from '../../shared/api/json.js';
import type { RequestAudit } from '../audit/request-audit.js';
import type { User } from '../authentication/user.js';
import type { RequestInfo } from './request-info.js';
import type { WorkTurns } from './work-turns.js';

export type RawRequest = IncomingMessage | Http2ServerRequest;
export type RawResponse = ServerResponse | Http2ServerResponse;

/** One request and its answer, on its way through the server. */
export interface Exchange {
  readonly request: RawRequest;
  readonly response: RawResponse;
  readonly method: string;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  /** Nobody until it is known who asks. */
  user: User;
  readonly auditId: string;
  /** Texts for Warning headers; at most a few are sent. */
  readonly warnings: string[];
  /** The protobuf form of an object of a built-in kind, in its envelope. */
  readonly encodeProtobuf: (object: JsonObject) => Buffer | undefined;
  /** Who works on what was sent waits for his turn. */
  readonly turns: WorkTurns;
  /** What is counted of the answer. */
  readonly sent: { bytes: number; deprecation?: string };
  /** Sent with the answer, whatever it is. */
  readonly headers: Record<string, string>;
  /** Where what happens is written down; absent without an audit policy. */
  readonly audit?: RequestAudit;
}

export function header(request: RawRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
