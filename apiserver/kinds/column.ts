import type { KubernetesObject } from '../../shared/api/object.js';
import { humanAge } from '../../shared/api/duration.js';
import type { Column } from '../registry/definition.js';

type Cell<T> = Column<T>['cell'];
type Options = Partial<Pick<Column<unknown>, 'type' | 'format' | 'description' | 'priority'>>;

/** A column of strings, shown always; `options` say otherwise. */
export function column<T>(name: string, cell: Cell<T>, options: Options = {}): Column<T> {
  return { name, type: 'string', description: '', priority: 0, ...options, cell };
}

/** A column that only `-o wide` shows. */
export function wideColumn<T>(name: string, cell: Cell<T>, options: Options = {}): Column<T> {
  return column(name, cell, { priority: 1, ...options });
}

export function nameColumn<T extends KubernetesObject>(): Column<T> {
  return column('Name', (object) => object.metadata.name ?? '', {
    format: 'name',
    description:
      'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  });
}

/** The name, marked where one of the annotations makes the object the default of its kind. */
export function defaultableNameColumn<T extends KubernetesObject>(...annotations: readonly string[]): Column<T> {
  const { cell, ...rest } = nameColumn<T>();
  const isDefault = ({ metadata }: T): boolean =>
    annotations.some((annotation) => metadata.annotations?.[annotation] === 'true');
  return { ...rest, cell: (object, nowMs) => `${cell(object, nowMs)}${isDefault(object) ? ' (default)' : ''}` };
}

export function ageColumn<T extends KubernetesObject>(): Column<T> {
  return column('Age', (object, nowMs) => humanAge(object.metadata.creationTimestamp, nowMs), {
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.',
  });
}

/** The time of creation itself, for kinds that the original prints by its default table. */
export function createdAtColumn<T extends KubernetesObject>(): Column<T> {
  return column('Created At', (object) => object.metadata.creationTimestamp ?? '', {
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.',
  });
}

/** The cell for lists and texts that may be empty. */
export const orNone = (text: string | undefined): string => (text === undefined || text === '' ? '<none>' : text);
