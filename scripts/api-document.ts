// Writes docs/api.md from what the API server serves: node dist/scripts/api-document.js > docs/api.md
import { fileURLToPath } from 'node:url';
import { discoverableResources, type DiscoverableResource } from '../apiserver/discovery/discoverable.js';
import { servedResources } from '../apiserver/discovery/served-resources.js';
import { definitions } from '../apiserver/kinds/index.js';
import type { ResourceDefinition } from '../apiserver/registry/definition.js';
import { deletionAnswersObject } from '../apiserver/registry/deletion-answer.js';
import { loadSchemas } from '../apiserver/schema/schemas.js';
import { bindingResources } from '../apiserver/subresources/binding.js';
import { reviewResources } from '../apiserver/subresources/reviews.js';

const introduction = `# The API that is served

Made by \`scripts/api-document.ts\` from the definitions of the kinds; a test keeps it true. The level is Kubernetes 1.36.

Every stored kind has: list and watch by label and field selector, \`limit\` and \`continue\`, watch from any kept revision with
bookmarks and \`sendInitialEvents\`; \`generateName\`, finalizers, owner references, \`managedFields\`; JSON patch, JSON merge patch,
strategic merge patch and server-side apply; \`dryRun\`, \`fieldValidation\`, preconditions, propagation policies; Table and
PartialObjectMetadata. Bodies come in JSON, YAML (up to 1 MiB and 10,000 words and signs) or protobuf; answers in the one of the
three that is asked for first (custom resources and tables have no protobuf form, their metadata has).
A body has at most 3 MiB, 512 levels and 25,000 different keys.
`;

const code = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(' ') || '-';
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(row)].join('\n');

function featuresOf(definition: ResourceDefinition): string {
  const features = [
    definition.hasGeneration ? 'generation' : '',
    definition.allowUnconditionalUpdate ? '' : 'PUT needs a resourceVersion',
    definition.allowCreateOnUpdate ? 'PUT creates' : '',
    definition.gracefulDelete ? 'graceful deletion' : '',
    definition.finalization ? 'deleted in two steps' : '',
    deletionAnswersObject(definition.resource) ? 'DELETE answers the object' : '',
    definition.storedAs ? `stored as ${definition.storedAs.definition.resource.apiVersion}` : '',
    definition.deprecation === undefined ? '' : 'answers with a warning',
  ];
  return features.filter((feature) => feature !== '').join(', ') || '-';
}

const versionOf = ({ group, version }: DiscoverableResource): string =>
  group === '' ? version : `${group}/${version}`;

/** The text of docs/api.md. */
export function apiDocument(): string {
  const facts = loadSchemas().resourceFacts();
  const stored = discoverableResources(definitions, facts);
  const kinds = stored.map((resource, i) => {
    const definition = definitions[i] as ResourceDefinition;
    const scope = resource.namespaced ? 'namespace' : 'cluster';
    return [
      versionOf(resource),
      resource.kind,
      code([resource.resource, ...resource.shortNames]),
      scope,
      featuresOf(definition),
    ];
  });
  const verbs = stored.map((resource) => [resource.kind, versionOf(resource), code(resource.verbs)]);
  const selectable = definitions.map(({ resource, selectableFields }) => [
    resource.kind,
    resource.apiVersion,
    code(['metadata.name', ...(resource.namespaced ? ['metadata.namespace'] : []), ...Object.keys(selectableFields)]),
  ]);
  const subresources = stored.flatMap((resource) =>
    resource.subresources.map(({ name, verbs: allowed, responseKind }) => [
      `\`${resource.resource}/${name}\``,
      responseKind.kind,
      code(allowed),
    ]),
  );
  // Which they are does not depend on who decides.
  const virtual = [...reviewResources({} as never).keys(), ...bindingResources({} as never, {} as never).keys()];
  const unstored = servedResources([], virtual, facts).map((resource) => [
    versionOf(resource),
    resource.kind,
    code(resource.verbs),
  ]);
  return [
    introduction,
    '## Kinds\n',
    table(['Version', 'Kind', 'Names', 'Scope', 'Beyond what all have'], kinds),
    '\n## Verbs\n',
    table(['Kind', 'Version', 'Verbs'], verbs),
    '\n## Subresources\n',
    table(['Path', 'Kind', 'Verbs'], subresources),
    '\n## Answered and not stored\n',
    table(['Version', 'Kind', 'Verbs'], unstored),
    '\n## Field selectors\n',
    table(['Kind', 'Version', 'Fields'], selectable),
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(apiDocument());
