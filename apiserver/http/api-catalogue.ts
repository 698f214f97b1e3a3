import { discoverableResources, type DiscoverableResource } from '../discovery/discoverable.js';
import { servedResources } from '../discovery/served-resources.js';
import { OpenApi, type RemoteOpenApi } from '../openapi/openapi.js';
import type { ResourceDefinition } from '../registry/definition.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { Schemas } from '../schema/schemas.js';

/** What clients can find here at the moment: made again when the registry has changed and somebody asks. */
export class ApiCatalogue {
  readonly #registry: ResourceRegistry;
  readonly #virtual: readonly string[];
  readonly #schemas: Schemas;
  readonly #remote: () => readonly RemoteOpenApi[];
  #openApiOf: readonly RemoteOpenApi[] | undefined;
  #of: readonly ResourceDefinition[] | undefined;
  #resources: readonly DiscoverableResource[] = [];
  #openApi: OpenApi | undefined;
  readonly #known = new WeakMap<ResourceDefinition, DiscoverableResource>();
  #unstored: readonly DiscoverableResource[] | undefined;

  /**
   * @param virtual paths of the resources that are answered and never stored
   * @param remote what extension servers say of theirs; another array after each change
   */
  constructor(
    registry: ResourceRegistry,
    virtual: Iterable<string>,
    schemas: Schemas,
    remote: () => readonly RemoteOpenApi[],
  ) {
    this.#remote = remote;
    this.#registry = registry;
    this.#virtual = [...virtual];
    this.#schemas = schemas;
  }

  /** The same array as long as nothing has changed; the same entries for what has not. */
  readonly resources = (): readonly DiscoverableResource[] => {
    const { definitions } = this.#registry;
    if (this.#of === definitions) return this.#resources;
    this.#of = definitions;
    const facts = this.#schemas.resourceFacts();
    this.#unstored ??= servedResources([], this.#virtual, facts);
    const stored = definitions.map((definition) => {
      const known = this.#known.get(definition) ?? discoverableResources([definition], facts)[0];
      if (!known) throw new Error('a definition is always discoverable');
      this.#known.set(definition, known);
      return known;
    });
    this.#resources = [...stored, ...this.#unstored];
    this.#openApiOf = undefined;
    return this.#resources;
  };

  readonly openApi = (): OpenApi => {
    const resources = this.resources();
    const remote = this.#remote();
    if (!this.#openApi || this.#openApiOf !== remote) {
      this.#openApi = new OpenApi(resources, this.#schemas, { previous: this.#openApi, remote });
      this.#openApiOf = remote;
    }
    return this.#openApi;
  };
}
