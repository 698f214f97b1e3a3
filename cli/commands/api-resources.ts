import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { booleanFlag, listFlag } from '../flags.js';
import { alignColumns } from '../printer/text-table.js';
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
    .option('-o, --output <format>', 'wide or name')
    .option('--sort-by <field>', 'name or kind')
    .addOption(listFlag('--verbs <verbs>', 'only with all of these verbs'))
    .addOption(listFlag('--categories <categories>', 'only in all of these categories'))
    .addOption(booleanFlag('--namespaced', 'only namespaced ones; =false: only others').default(undefined))
    .addOption(booleanFlag('--cached', 'accepted for compatibility'))
    .addOption(booleanFlag('--no-headers', 'no line of headers'));
  host.bind<ApiResourcesFlags>(command, runApiResources);
}

async function runApiResources(context: CommandContext, flags: ApiResourcesFlags): Promise<void> {
  const { output, sortBy } = flags;
  if (output !== undefined && output !== 'wide' && output !== 'name')
    throw new Failure(`--output ${output} is not available`);
  if (sortBy !== undefined && sortBy !== 'name' && sortBy !== 'kind')
    throw new Failure('--sort-by accepts only name or kind');
  const types = (await context.mapper()).preferred().filter((type) => isWanted(type, flags));
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = types.toSorted((a, b) => {
    if (sortBy === 'kind') return compare(a.kind, b.kind);
    return (sortBy === undefined ? compare(a.group, b.group) : 0) || compare(a.resource, b.resource);
  });
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

function isWanted(type: ResourceType, { apiGroup, namespaced, verbs, categories }: ApiResourcesFlags): boolean {
  if (type.verbs.length === 0) return false;
  if (apiGroup !== undefined && type.group !== apiGroup) return false;
  if (namespaced !== undefined && type.namespaced !== namespaced) return false;
  return (
    (verbs ?? []).every((verb) => type.verbs.includes(verb)) &&
    (categories ?? []).every((each) => type.categories.includes(each))
  );
}
