import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { booleanFlag, listFlag } from '../flags.js';
import { alignColumns } from '../printer/text-table.js';
import { objectPrinter } from '../printer/object-printer.js';
import type { AnyObject } from '../server-api.js';
import { groupResource, type ResourceType } from '../resource-mapper.js';

interface ApiResourcesFlags {
  apiGroup?: string;
  namespaced?: boolean;
  verbs?: string[];
  categories?: string[];
  output?: string;
  sortBy?: string;
  /** Commander's name of --no-headers: true when it is given. */
  headers: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('api-resources')
    .description('print the resource types of the server')
    .option('--api-group <group>', 'only of this group')
    .option('-o, --output <format>', 'wide, name, json, yaml or kyaml')
    .option('--sort-by <field>', 'name or kind')
    .addOption(listFlag('--verbs <verbs>', 'only with all of these verbs'))
    .addOption(listFlag('--categories <categories>', 'only in all of these categories'))
    .addOption(booleanFlag('--namespaced', 'only namespaced ones; =false: only others').default(undefined))
    .addOption(booleanFlag('--show-managed-fields', 'accepted for compatibility'))
    .addOption(booleanFlag('--cached', 'accepted for compatibility'))
    .addOption(booleanFlag('--no-headers', 'no line of headers'));
  host.bind<ApiResourcesFlags>(command, runApiResources);
}

async function runApiResources(
  context: CommandContext,
  flags: ApiResourcesFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length > 0)
    throw new Failure(`unexpected arguments: [${words.join(' ')}]\nSee 'knarr api-resources -h' for help and examples`);
  const { output, sortBy } = flags;
  if (!isOutput(output))
    throw new Failure(
      `unable to match a printer suitable for the output format "${output}", allowed formats are: json,kyaml,name,wide,yaml`,
    );
  if (sortBy !== undefined && sortBy !== 'name' && sortBy !== 'kind')
    throw new Failure('--sort-by accepts only name or kind');
  const types = (await context.mapper()).preferred().filter((type) => isWanted(type, flags));
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = types.toSorted((a, b) => {
    if (sortBy === 'kind') return compare(a.kind, b.kind);
    return (sortBy === undefined ? compare(a.group, b.group) : 0) || compare(a.resource, b.resource);
  });
  const printer = output === 'name' ? undefined : objectPrinter(output, { showManagedFields: true });
  if (printer) return context.print(await printer(resourceList(sorted), true));
  if (output === 'name') return context.print(sorted.map(groupResource).join('\n'));
  const isWide = output === 'wide';
  const rows = sorted.map((type) => [
    type.resource,
    type.shortNames.join(','),
    type.apiVersion,
    String(type.namespaced),
    type.kind,
    ...(isWide ? [type.verbs.toSorted().join(','), type.categories.join(',')] : []),
  ]);
  const head = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(isWide ? ['VERBS', 'CATEGORIES'] : [])];
  context.print(alignColumns(flags.headers ? rows : [head, ...rows]).join('\n'));
}

const isOutput = (text = ''): boolean => ['', 'json', 'kyaml', 'name', 'wide', 'yaml'].includes(text);

/** The types as one document, as the server's discovery has them. */
const resourceList = (types: readonly ResourceType[]): AnyObject =>
  ({
    apiVersion: 'v1',
    groupVersion: '',
    kind: 'APIResourceList',
    resources: types.map(({ group, version, kind, resource, singular, namespaced, verbs, shortNames, categories }) => ({
      ...(categories.length > 0 ? { categories } : {}),
      ...(group === '' ? {} : { group }),
      kind,
      name: resource,
      namespaced,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      singularName: singular,
      verbs,
      version,
    })),
  }) as unknown as AnyObject;

function isWanted(type: ResourceType, { apiGroup, namespaced, verbs, categories }: ApiResourcesFlags): boolean {
  if (type.verbs.length === 0) return false;
  if (apiGroup !== undefined && type.group !== apiGroup) return false;
  if (namespaced !== undefined && type.namespaced !== namespaced) return false;
  return (
    (verbs ?? []).every((verb) => type.verbs.includes(verb)) &&
    (categories ?? []).every((each) => type.categories.includes(each))
  );
}
