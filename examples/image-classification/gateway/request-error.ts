/** A request that the gateway refuses or cannot serve: an HTTP status and a sentence for the person who sent it. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
  }
}
