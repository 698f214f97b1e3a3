/** A parameter of an operation. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  type,
  description,
});

/** Parameters that many operations share. */
export const sharedParameters = {
  allowWatchBookmarks: query(
    'allowWatchBookmarks',
    'boolean',
    'Send BOOKMARK events that tell the current resourceVersion of a watch.',
  ),
  continue: query('continue', 'string', 'The continue token of the previous part of a list.'),
  fieldManager: query(
    'fieldManager',
    'string',
    'The name under which the changed fields are recorded. Required for apply requests.',
  ),
  fieldSelector: query(
    'fieldSelector',
    'string',
    'Restricts the list by the fields of its objects. Defaults to everything.',
  ),
  force: query('force', 'boolean', 'Take conflicting fields from other managers. Only for apply requests.'),
  gracePeriodSeconds: query(
    'gracePeriodSeconds',
    'integer',
    'Seconds before the object is deleted. Zero means at once.',
  ),
  ignoreStoreReadErrorWithClusterBreakingPotential: query(
    'ignoreStoreReadErrorWithClusterBreakingPotential',
    'boolean',
    'Delete the object even if it cannot be read from the store.',
  ),
  labelSelector: query(
    'labelSelector',
    'string',
    'Restricts the list by the labels of its objects. Defaults to everything.',
  ),
  limit: query('limit', 'integer', 'The most objects to return in one answer; more follow with the continue token.'),
  namespace: {
    name: 'namespace',
    in: 'path',
    type: 'string',
    description: 'object name and auth scope, such as for teams and projects',
  },
  orphanDependents: query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  pretty: query('pretty', 'string', "If 'true', then the output is pretty printed."),
  propagationPolicy: query(
    'propagationPolicy',
    'string',
    "What happens to dependents: 'Orphan', 'Background' or 'Foreground'.",
  ),
  resourceVersion: query('resourceVersion', 'string', 'Which resource versions may serve the request.'),
  resourceVersionMatch: query(
    'resourceVersionMatch',
    'string',
    'How resourceVersion applies to a list: Exact or NotOlderThan.',
  ),
  sendInitialEvents: query(
    'sendInitialEvents',
    'boolean',
    'Begin a watch with the objects that exist, and mark their end with a bookmark.',
  ),
  shardSelector: query('shardSelector', 'string', 'Restricts the list to a shard of its objects.'),
  timeoutSeconds: query('timeoutSeconds', 'integer', 'Ends the list or watch after this many seconds.'),
  watch: query('watch', 'boolean', 'Stream changes as add, update and delete events instead of a list.'),
} satisfies Record<string, Parameter>;

export type SharedParameter = keyof typeof sharedParameters;

/** These stand in each operation itself: kubectl looks for them there to learn what a kind supports. */
export const inlineParameters = {
  dryRun: query(
    'dryRun',
    'string',
    'When present, indicates that modifications should not be persisted. Valid values are: - All: all dry run stages will be processed',
  ),
  fieldValidation: query(
    'fieldValidation',
    'string',
    'What happens to unknown and duplicate fields. Valid values are: - Ignore: they are dropped. - Warn: they are dropped with a warning (default). - Strict: the request fails with BadRequest.',
  ),
} satisfies Record<string, Parameter>;

export type InlineParameter = keyof typeof inlineParameters;

const listParameters: readonly SharedParameter[] = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
  'watch',
];
const deletion: readonly SharedParameter[] = [
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];
const writing: readonly (SharedParameter | InlineParameter)[] = ['dryRun', 'fieldManager', 'fieldValidation'];

/** Query parameters of single subresources. */
export const parametersOfSubresource: Readonly<Record<string, readonly Parameter[]>> = {
  attach: [
    query('container', 'string', 'The container to attach to. Defaults to the only one.'),
    query('stderr', 'boolean', 'Whether to pass on the standard error. Defaults to true.'),
    query('stdin', 'boolean', 'Whether to pass on the standard input. Defaults to false.'),
    query('stdout', 'boolean', 'Whether to pass on the standard output. Defaults to true.'),
    query('tty', 'boolean', 'Whether a terminal is allocated. Defaults to false.'),
  ],
  exec: [
    query('command', 'string', 'The command, once for each argument. It is not run by a shell.'),
    query('container', 'string', 'The container to run in. Defaults to the only one.'),
    query('stderr', 'boolean', 'Whether to pass on the standard error.'),
    query('stdin', 'boolean', 'Whether to pass on the standard input. Defaults to false.'),
    query('stdout', 'boolean', 'Whether to pass on the standard output.'),
    query('tty', 'boolean', 'Whether a terminal is allocated. Defaults to false.'),
  ],
  log: [
    query('container', 'string', 'The container whose log is read. Defaults to the only one.'),
    query('follow', 'boolean', 'Follow the log as it grows. Defaults to false.'),
    query('insecureSkipTLSVerifyBackend', 'boolean', 'Do not verify the serving certificate of the kubelet.'),
    query('limitBytes', 'integer', 'How many bytes are read at most.'),
    query('previous', 'boolean', 'The log of the container that ran before. Defaults to false.'),
    query('sinceSeconds', 'integer', 'Only what was written in the last so many seconds.'),
    query('stream', 'string', "Which stream is read: 'All', 'Stdout' or 'Stderr'. Defaults to 'All'."),
    query('tailLines', 'integer', 'How many lines from the end are read.'),
    query('timestamps', 'boolean', 'Whether each line begins with its time. Defaults to false.'),
  ],
  portforward: [query('ports', 'integer', 'The ports to forward. Required where WebSockets are used.')],
  proxy: [query('path', 'string', 'The part of the URL that is passed on.')],
};

/** Query parameters by action, as x-kubernetes-action names it. */
export const parametersOfAction: Readonly<Record<string, readonly (SharedParameter | InlineParameter)[]>> = {
  list: listParameters,
  watch: listParameters,
  watchlist: listParameters,
  get: [],
  connect: [],
  post: writing,
  put: writing,
  patch: [...writing, 'force'],
  delete: ['dryRun', ...deletion],
  deletecollection: [
    'continue',
    'dryRun',
    'fieldSelector',
    'labelSelector',
    'limit',
    ...deletion,
    'resourceVersion',
    'resourceVersionMatch',
    'sendInitialEvents',
    'shardSelector',
    'timeoutSeconds',
  ],
};
