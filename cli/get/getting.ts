import type { CommandContext } from '../context.js';
import type { ObjectPrinter } from '../printer/object-printer.js';
import { TablePrinter } from '../printer/table-printer.js';
import type { ResourceMapper, ResourceType } from '../resource-mapper.js';
import type { GetFlags } from './options.js';

export const tableAccept =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

/** One request's worth of objects: a list of a type, or one object. */
export interface Request {
  readonly type: ResourceType;
  readonly name?: string;
  readonly namespace?: string;
}

/** What the requests, the printer and the watch share. */
export interface Getting {
  readonly context: CommandContext;
  readonly flags: GetFlags;
  readonly mapper: ResourceMapper;
  readonly printer: ObjectPrinter | undefined;
  readonly requests: readonly Request[];
  readonly namespace: string;
  readonly errors: unknown[];
}

/** Commander turns --no-headers into `headers`: true means that the flag was given. */
export const showsHeaders = (flags: GetFlags): boolean => !flags.headers;

export function tablePrinter(getting: Getting, type: ResourceType, withKind: boolean): TablePrinter {
  const { flags } = getting;
  return new TablePrinter(type, {
    wide: flags.output === 'wide',
    headers: showsHeaders(flags),
    withNamespace: flags.allNamespaces && type.namespaced,
    withKind: withKind || flags.showKind,
    showLabels: flags.showLabels,
    labelColumns: flags.labelColumns ?? [],
    eventColumn: flags.outputWatchEvents,
  });
}
