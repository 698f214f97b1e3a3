import { AsyncResource } from 'node:async_hooks';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Makes requests over HTTP/2 light. Node binds each of them to its asynchronous context by this method, which up to Node 24 also
 * hangs a deprecated property on what it returns. V8 keeps the accessors of that property, and through them the whole request, until
 * the next full collection: a third of the processor time of a call. The property is for nobody; what the method is
 * documented to do stays.
 */
export function lightenRequests(): void {
  AsyncResource.prototype.bind = bind as typeof AsyncResource.prototype.bind;
}

function bind(this: AsyncResource, run: AnyFunction, thisArg?: unknown): AnyFunction {
  const scope = (self: unknown, args: unknown[]): unknown => this.runInAsyncScope(run, self, ...args);
  return function (this: unknown, ...args) {
    return scope(thisArg ?? this, args);
  };
}
