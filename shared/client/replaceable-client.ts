import type { Client } from './client.js';

/** A client that can be exchanged for one with newer credentials while others hold on to it. */
export class ReplaceableClient implements Client {
  #current: Client;

  constructor(first: Client) {
    this.#current = first;
  }

  /** New calls use the new one; what is under way on the old one breaks off, as with a lost connection. */
  replace(next: Client): void {
    const old = this.#current;
    this.#current = next;
    old.close();
  }

  get server(): string {
    return this.#current.server;
  }

  readonly get: Client['get'] = (...given) => this.#current.get(...given);
  readonly list: Client['list'] = (...given) => this.#current.list(...given);
  readonly create: Client['create'] = (...given) => this.#current.create(...given);
  readonly update: Client['update'] = (...given) => this.#current.update(...given);
  readonly updateStatus: Client['updateStatus'] = (...given) => this.#current.updateStatus(...given);
  readonly patch: Client['patch'] = (...given) => this.#current.patch(...given);
  readonly delete: Client['delete'] = (...given) => this.#current.delete(...given);
  readonly deleteCollection: Client['deleteCollection'] = (...given) => this.#current.deleteCollection(...given);
  readonly watch: Client['watch'] = (...given) => this.#current.watch(...given);
  readonly raw: Client['raw'] = (...given) => this.#current.raw(...given);

  close(): void {
    this.#current.close();
  }
}
