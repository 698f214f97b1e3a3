import type { Command } from 'commander';
import type { Event } from '../../shared/api/generated/types.js';
import { humanAge } from '../../shared/api/duration.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { booleanFlag, integerFlag, listFlag } from '../flags.js';
import { listObjects } from '../found-objects.js';
import { objectPrinter } from '../printer/object-printer.js';
import { alignColumns, columnWidths } from '../printer/text-table.js';
import { parseSelection } from '../selection.js';
import { queryText, type AnyObject } from '../server-api.js';

interface EventsFlags {
  allNamespaces: boolean;
  for?: string;
  types?: string[];
  watch: boolean;
  /** Commander's name of --no-headers: true when it is given. */
  headers: boolean;
  output?: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('events')
    .description('show what happened, the oldest first')
    .usage('[(-o|--output=)json|yaml] [--for TYPE/NAME] [--watch] [--types=Normal,Warning] [flags]')
    .option('--for <type/name>', 'only of this object')
    .option('-o, --output <format>', 'json, yaml, name ...')
    .addOption(listFlag('--types <types>', 'Normal, Warning'))
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(booleanFlag('-w, --watch', 'afterwards, watch for more'))
    .addOption(integerFlag('--chunk-size <count>', 'accepted for compatibility', 500))
    .addOption(booleanFlag('--no-headers', 'no line of headers'));
  host.bind<EventsFlags>(command, (context, flags) => runEvents(context, flags));
}

async function runEvents(context: CommandContext, flags: EventsFlags): Promise<void> {
  const [api, mapper, own] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  for (const type of flags.types ?? [])
    if (!/^(normal|warning)$/i.test(type)) throw new Failure('valid --types are Normal or Warning');
  const type = mapper.types.find((each) => each.group === '' && each.resource === 'events');
  if (!type) throw new Failure('the server doesn\'t have a resource type "events"');
  const namespace = flags.allNamespaces ? undefined : own;
  const fieldSelector = await selectorFor(context, flags.for);
  const scope = { namespace, ...(fieldSelector === undefined ? {} : { fieldSelector }) };
  const found = (await listObjects(api, type, scope)).map(({ object }) => object as unknown as Event);
  const shown = found.filter((event) => isWanted(event, flags.types)).sort((a, b) => timeOf(a) - timeOf(b));
  const printer = objectPrinter(flags.output);
  const none = flags.allNamespaces ? 'No events found.' : `No events found in ${own} namespace.`;
  if (shown.length === 0 && !flags.watch) return context.tell(none);
  if (printer) {
    const list = { apiVersion: 'v1', items: shown, kind: 'List', metadata: { resourceVersion: '' } };
    return context.print(await printer(list as unknown as AnyObject, true));
  }
  const columns = new EventColumns(flags.allNamespaces, !flags.headers);
  if (shown.length > 0) context.print(columns.lines(shown, context.clock.now()).join('\n'));
  if (!flags.watch) return;
  const client = await context.client();
  const list = await api.json({ path: resourcePath(type, namespace), query: { limit: 1, fieldSelector } });
  const { resourceVersion } = list.metadata;
  const query = queryText({ watch: true, fieldSelector, resourceVersion });
  for await (const { type: change, object } of client.watchPath<Event>(resourcePath(type, namespace) + query, {
    signal: context.signal,
  })) {
    if ((change !== 'ADDED' && change !== 'MODIFIED') || !isWanted(object, flags.types)) continue;
    context.print(columns.lines([object], context.clock.now()).join('\n'));
  }
}

async function selectorFor(context: CommandContext, text: string | undefined): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const mapper = await context.mapper();
  if (!text.includes('/')) throw new Failure('--for must be in resource/name form');
  const selection = parseSelection([text], mapper);
  const [target] = selection.kind === 'names' ? selection.targets : [];
  if (!target) throw new Failure('--for must be in resource/name form');
  const { type, name } = target;
  return `involvedObject.kind=${type.kind},involvedObject.apiVersion=${type.apiVersion},involvedObject.name=${name}`;
}

const isWanted = ({ type = '' }: Event, types: readonly string[] | undefined): boolean =>
  types === undefined || types.some((each) => each.toLowerCase() === type.toLowerCase());

/** When it happened last. */
function timeOf({ series, lastTimestamp, eventTime, metadata }: Event): number {
  const text = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return Date.parse(text ?? '') || 0;
}

/** Rows of events under one head, columns never narrower than before. */
class EventColumns {
  readonly #withNamespace: boolean;
  #needsHead: boolean;
  #widths: number[] = [];

  constructor(withNamespace: boolean, withHead: boolean) {
    this.#withNamespace = withNamespace;
    this.#needsHead = withHead;
  }

  lines(events: readonly Event[], nowMs: number): string[] {
    const rows = events.map((event) => [
      ...(this.#withNamespace ? [event.metadata.namespace ?? ''] : []),
      lastSeen(event, nowMs),
      event.type ?? '',
      event.reason ?? '',
      `${event.involvedObject.kind ?? ''}/${event.involvedObject.name ?? ''}`,
      (event.message ?? '').trim(),
    ]);
    if (this.#needsHead) {
      rows.unshift([...(this.#withNamespace ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']);
    }
    this.#needsHead = false;
    this.#widths = columnWidths(rows, this.#widths);
    return alignColumns(rows, this.#widths);
  }
}

function lastSeen(event: Event, nowMs: number): string {
  const { series, count = 0, firstTimestamp, lastTimestamp, eventTime } = event;
  const first = humanAge(firstTimestamp ?? eventTime, nowMs);
  if (series) return `${humanAge(series.lastObservedTime, nowMs)} (x${series.count} over ${first})`;
  if (count > 1) return `${humanAge(lastTimestamp, nowMs)} (x${count} over ${first})`;
  return first;
}
