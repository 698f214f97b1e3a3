/** The canonical codes that TensorFlow Serving answers with, by name, with their gRPC number and HTTP status. */
export const servingCodes = {
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  NOT_FOUND: { grpc: 5, http: 404 },
  RESOURCE_EXHAUSTED: { grpc: 8, http: 429 },
  FAILED_PRECONDITION: { grpc: 9, http: 412 },
  UNIMPLEMENTED: { grpc: 12, http: 501 },
  INTERNAL: { grpc: 13, http: 500 },
} as const;

export type ServingCode = keyof typeof servingCodes;

/** A failed call, the same over gRPC and REST. */
export class ServingError extends Error {
  readonly code: ServingCode;

  constructor(code: ServingCode, message: string) {
    super(message);
    this.name = 'ServingError';
    this.code = code;
  }
}

export function invalidArgument(message: string): ServingError {
  return new ServingError('INVALID_ARGUMENT', message);
}

/** What a caller may be told of a failure: its own mistakes in full, ours only that there was one. */
export function toServingError(error: unknown): ServingError {
  if (error instanceof ServingError) return error;
  return new ServingError('INTERNAL', 'the model server failed to answer this request');
}
