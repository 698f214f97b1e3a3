import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import { nameOf } from '../printer/object-printer.js';
import { goJson } from '../printer/json.js';
import type { Table } from '../printer/table-printer.js';
import { queryText, type AnyObject } from '../server-api.js';
import { tableAccept, tablePrinter, type Getting, type Request } from './getting.js';

interface Event {
  readonly type: string;
  readonly object: AnyObject & Table;
}

/** Shows what there is, unless --watch-only, and then each change until the command is interrupted. */
export async function watchAfterGet(getting: Getting): Promise<void> {
  const [request] = getting.requests;
  const types = new Set(getting.requests.map(({ type }) => type));
  if (!request || types.size > 1 || getting.requests.length > 1) {
    throw new Failure('you may only specify a single resource type');
  }
  const show = shower(getting, request);
  const { name, namespace, type } = request;
  // One object is watched as a list of one, so that its deletion and return are seen.
  const fieldSelector = name === undefined ? getting.flags.fieldSelector : `metadata.name=${name}`;
  const query = { labelSelector: getting.flags.selector, fieldSelector };
  const path = resourcePath(type, namespace);
  const accept = getting.printer ? 'application/json' : tableAccept;
  const api = await getting.context.api();
  if (name !== undefined) await api.text({ path: resourcePath(type, namespace, name) });
  const list = await api.json<AnyObject & Table>({ path, query, accept });
  if (!getting.flags.watchOnly) await showList(getting, list, show);
  const watchPath = path + queryText({ ...query, watch: true, resourceVersion: list.metadata.resourceVersion });
  const client = await getting.context.client();
  const stream = client.watchPath<AnyObject & Table>(watchPath, { accept, signal: getting.context.signal });
  for await (const event of stream) {
    if (event.type !== 'BOOKMARK') await show(event as Event);
  }
}

type Show = (event: Event) => Promise<void>;

async function showList(getting: Getting, list: AnyObject & Table, show: Show): Promise<void> {
  if (!getting.printer) return show({ type: 'ADDED', object: list });
  const kind = list.kind.replace(/List$/, '');
  for (const item of (list['items'] as (AnyObject & Table)[] | undefined) ?? []) {
    await show({ type: 'ADDED', object: { ...item, apiVersion: list.apiVersion, kind } });
  }
}

function shower(getting: Getting, request: Request): Show {
  const { context, printer, flags, mapper } = getting;
  const table = tablePrinter(getting, request.type, false);
  return async ({ type, object }) => {
    if (!printer) {
      const lines = table.print(object, type);
      if (lines.length > 0) context.print(lines.join('\n'));
    } else if (flags.output === 'name') {
      context.print(nameOf(object, mapper));
    } else if (flags.outputWatchEvents && flags.output === 'json') {
      context.print(goJson({ type, object }));
    } else {
      const text = await printer(object, false);
      context.print(flags.output === 'yaml' ? `---\n${text}` : text);
    }
  };
}
