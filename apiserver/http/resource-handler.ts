import { StatusError } from '../../shared/errors/status-error.js';
import type { ResourceRegistry, ServedResource } from '../registry/resource-registry.js';
import { methodNotSupported, notFound, unknownResource } from '../registry/status-errors.js';
import type { Exchange } from './exchange.js';
import type { ResourceReader } from './resource-reader.js';
import type { ResourceWriter } from './resource-writer.js';

/** Answers one subresource, whatever the verb. */
export type SubresourceHandler = (exchange: Exchange, served: ServedResource) => void | Promise<void>;

/** Resources that are answered and never stored: reviews. By `GROUP/VERSION/RESOURCE`. */
export type VirtualResources = ReadonlyMap<string, (exchange: Exchange) => Promise<void>>;

export interface ResourceHandlerOptions {
  readonly registry: ResourceRegistry;
  readonly reader: ResourceReader;
  readonly writer: ResourceWriter;
  readonly subresources: ReadonlyMap<string, SubresourceHandler>;
  readonly virtual: VirtualResources;
  /** Resources that are only read, and made up for each answer. */
  readonly computed: VirtualResources;
}

/** Finds who answers a resource request. */
export class ResourceHandler {
  readonly #options: ResourceHandlerOptions;

  constructor(options: ResourceHandlerOptions) {
    this.#options = options;
  }

  handle(exchange: Exchange): void | Promise<void> {
    const { info } = exchange;
    const { registry, virtual, computed } = this.#options;
    const path = `${info.group}/${info.version}/${info.resource}`;
    const compute = computed.get(path);
    if (compute && info.subresource === '') return compute(exchange);
    const answer = virtual.get(path);
    if (answer && info.name === '') {
      if (info.verb !== 'create') throw notAllowed();
      return answer(exchange);
    }
    const served = registry.find(info.group, info.version, info.resource);
    if (!served) throw unknownResource();
    const { definition } = served;
    if (definition.deprecation !== undefined) {
      exchange.warnings.push(definition.deprecation);
      exchange.sent.deprecation = definition.deprecation;
      exchange.audit?.annotate('k8s.io/deprecated', 'true');
    }
    const isMisplaced =
      !definition.resource.namespaced && info.namespace !== undefined && info.resource !== 'namespaces';
    if (isMisplaced) throw unknownResource();
    if (
      definition.resource.namespaced &&
      info.namespace === undefined &&
      (info.name !== '' || info.verb === 'create')
    ) {
      if (info.name === '') throw notAllowed();
      throw unknownResource();
    }
    return info.subresource === '' ? this.#object(exchange, served) : this.#subresource(exchange, served);
  }

  #object(exchange: Exchange, served: ServedResource): void | Promise<void> {
    const { reader, writer } = this.#options;
    const { info } = exchange;
    const hasName = info.name !== '';
    switch (info.verb) {
      case 'get':
        return reader.get(exchange, served);
      case 'list':
        return reader.list(exchange, served);
      case 'watch':
        return reader.watch(exchange, served);
      case 'create':
        if (hasName) throw notAllowed();
        if (served.definition.custom?.isTerminating()) throw terminating(info.verb);
        return writer.create(exchange, served);
      case 'update':
        if (!hasName) throw notAllowed();
        return writer.update(exchange, served);
      case 'patch':
        if (!hasName) throw notAllowed();
        return writer.patch(exchange, served);
      case 'delete':
        return writer.delete(exchange, served);
      case 'deletecollection':
        if (info.resource === 'namespaces') throw notAllowed();
        return writer.deleteCollection(exchange, served);
      default:
        throw methodNotSupported(served.definition.resource, info.verb);
    }
  }

  #subresource(exchange: Exchange, served: ServedResource): void | Promise<void> {
    const { reader, writer, subresources } = this.#options;
    const { info } = exchange;
    const { definition } = served;
    if (!definition.subresources.some((known) => known === info.subresource)) {
      throw definition.custom ? notFound(definition.resource, info.name) : unknownResource();
    }
    const special =
      subresources.get(`${info.resource}/${info.subresource}`) ?? subresources.get(`*/${info.subresource}`);
    if (special) return special(exchange, served);
    switch (info.verb) {
      case 'get':
        return reader.get(exchange, served);
      case 'update':
        return writer.update(exchange, served);
      case 'patch':
        return writer.patch(exchange, served);
      default:
        throw definition.custom ? methodNotSupported(definition.resource, info.verb) : notAllowed();
    }
  }
}

const notAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

const terminating = (verb: string): StatusError =>
  new StatusError(405, 'MethodNotAllowed', `${verb} not allowed while custom resource definition is terminating`, {});
