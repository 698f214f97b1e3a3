import type { Field, StructType } from '../schema/schema-type.js';
import { readData, type Schemas } from '../schema/schemas.js';

/** The table of the original's .proto files: message -> field -> [number, type]. */
export type MessageTable = Readonly<Record<string, Readonly<Record<string, readonly [number: number, type: string]>>>>;

/** How one field of a message becomes a JSON field. */
export interface MessageField {
  readonly number: number;
  /** The JSON field; undefined for a struct that JSON inlines: its fields are those of the outer object. */
  readonly field: Field | undefined;
  /** Message of an inlined struct. */
  readonly inlined: Message | undefined;
}

/** A message together with the structure that it encodes. Fields are in the order of their numbers. */
export interface Message {
  readonly fields: readonly MessageField[];
  readonly byNumber: ReadonlyMap<number, MessageField>;
}

/** Pairs structures with messages, on first use. */
export class Messages {
  readonly #schemas: Schemas;
  readonly #table: MessageTable;
  readonly #known = new Map<string, Message>();

  constructor(schemas: Schemas, table: MessageTable) {
    this.#schemas = schemas;
    this.#table = table;
  }

  /** The structure of a definition, if it has a message. */
  structure(definition: string): StructType | undefined {
    const isKnown = this.#schemas.raw(definition) !== undefined && messageName(definition) in this.#table;
    return isKnown ? this.#schemas.type(definition) : undefined;
  }

  messageOf(struct: StructType): Message {
    return this.#compile(messageName(struct.definition), struct);
  }

  #compile(name: string, struct: StructType): Message {
    const key = `${name} ${struct.definition}`;
    const known = this.#known.get(key);
    if (known) return known;
    const names = new Map([...struct.fields.keys()].map((field) => [field.toLowerCase(), field]));
    const fields = Object.entries(this.#table[name] ?? {}).flatMap(([given, [number, type]]): MessageField[] => {
      // The table writes a few names as Go does: uID, aPIGroup.
      const field = struct.fields.get(given) ?? struct.fields.get(names.get(given.toLowerCase()) ?? '');
      if (field) return [{ number, field, inlined: undefined }];
      return type in this.#table ? [{ number, field: undefined, inlined: this.#compile(type, struct) }] : [];
    });
    fields.sort((a, b) => a.number - b.number);
    const message = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
    this.#known.set(key, message);
    return message;
  }
}

export const loadMessages = (schemas: Schemas): Messages =>
  new Messages(schemas, readData(schemas.directory, 'protobuf-fields.json') as MessageTable);

const messageName = (definition: string): string => definition.replace(/^io\.k8s\./, 'k8s.io.');

/**
 * Optional fields that are pointers in Go, so that their zero means something. All others are always on the wire, and
 * their zero means that they are not set.
 */
const pointers: ReadonlySet<string> = new Set([
  'activeDeadlineSeconds',
  'allocateLoadBalancerNodePorts',
  'allowPrivilegeEscalation',
  'allowVolumeExpansion',
  'attachRequired',
  'automountServiceAccountToken',
  'averageUtilization',
  'backoffLimit',
  'backoffLimitPerIndex',
  'blockOwnerDeletion',
  'borrowingLimitPercent',
  'completions',
  'controller',
  'defaultMode',
  'deletionGracePeriodSeconds',
  'enableServiceLinks',
  'expirationSeconds',
  'failedJobsHistoryLimit',
  'fsGroup',
  'gracePeriodSeconds',
  'hostProcess',
  'hostUsers',
  'immutable',
  'ingressClassName',
  'leaseDurationSeconds',
  'leaseTransitions',
  'lendablePercent',
  'loadBalancerClass',
  'manualSelector',
  'maxFailedIndexes',
  'minReplicas',
  'mode',
  'nominalConcurrencyShares',
  'optional',
  'orphanDependents',
  'parallelism',
  'partition',
  'podInfoOnMount',
  'priority',
  'privileged',
  'progressDeadlineSeconds',
  'readOnlyRootFilesystem',
  'ready',
  'replicas',
  'requiresRepublish',
  'revisionHistoryLimit',
  'runAsGroup',
  'runAsNonRoot',
  'runAsUser',
  'seLinuxMount',
  'serving',
  'setHostnameAsFQDN',
  'shareProcessNamespace',
  'stabilizationWindowSeconds',
  'startingDeadlineSeconds',
  'started',
  'storageCapacity',
  'storageClassName',
  'successfulJobsHistoryLimit',
  'suspend',
  'terminating',
  'terminationGracePeriodSeconds',
  'tolerationSeconds',
  'ttlSecondsAfterFinished',
  'volumeAttributesClassName',
]);

/** Whether a zero on the wire is a value. */
export const keepsZero = ({ name, required }: Field): boolean => required || pointers.has(name);
