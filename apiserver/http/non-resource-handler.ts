import { StatusError } from '../../shared/errors/status-error.js';
import type { Exchange } from './exchange.js';

/** Answers a path outside the resources: discovery, health, metrics, OpenAPI ... */
export type PathHandler = (exchange: Exchange) => void | Promise<void>;

/** Paths that come and go. */
export interface DynamicPaths {
  readonly find: (path: string) => PathHandler | undefined;
  readonly list: () => readonly string[];
}

/** Handlers by path, and by prefix for those that end with a slash and a star. */
export class NonResourceHandler {
  readonly #exact = new Map<string, PathHandler>();
  readonly #dynamic: DynamicPaths[] = [];
  readonly #prefixes: { readonly prefix: string; readonly handler: PathHandler }[] = [];

  add(pattern: string, handler: PathHandler): this {
    if (pattern.endsWith('/*')) this.#prefixes.push({ prefix: pattern.slice(0, -1), handler });
    else this.#exact.set(pattern, handler);
    return this;
  }

  addDynamic(paths: DynamicPaths): this {
    this.#dynamic.push(paths);
    return this;
  }

  /** Paths as the root lists them. */
  paths(): string[] {
    return [...this.#exact.keys(), ...this.#dynamic.flatMap(({ list }) => list())]
      .filter((path) => path !== '/')
      .sort();
  }

  handle(exchange: Exchange): void | Promise<void> {
    const { path } = exchange.info;
    const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    const handler =
      this.#exact.get(bare) ??
      this.#findDynamic(bare) ??
      this.#prefixes.find(({ prefix }) => path.startsWith(prefix))?.handler;
    if (!handler) {
      throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
    }
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
      throw new StatusError(
        405,
        'MethodNotAllowed',
        'the server does not allow this method on the requested resource',
        {},
      );
    }
    return handler(exchange);
  }

  #findDynamic(path: string): PathHandler | undefined {
    for (const { find } of this.#dynamic) {
      const handler = find(path);
      if (handler) return handler;
    }
    return undefined;
  }
}
