/** Flags of the kubelet that `up` and `join` pass on as they are; values by name without the dashes. */
export type KubeletFlags = Readonly<Record<string, string>>;

/** As the original names them. */
export const kubeletFlagDefinitions = [
  {
    name: 'allowed-unsafe-sysctls',
    argument: 'names',
    description: 'what pods may set beside the safe sysctls: names, or beginnings of names with a * behind',
  },
  { name: 'node-labels', argument: 'labels', description: 'labels of the nodes of this machine: key=value,...' },
] as const;

/** As commander names the values. */
export interface KubeletFlagValues {
  readonly allowedUnsafeSysctls?: string;
  readonly nodeLabels?: string;
}

export function readKubeletFlags({ allowedUnsafeSysctls, nodeLabels }: KubeletFlagValues): KubeletFlags {
  return {
    ...(allowedUnsafeSysctls === undefined ? {} : { 'allowed-unsafe-sysctls': allowedUnsafeSysctls }),
    ...(nodeLabels === undefined ? {} : { 'node-labels': nodeLabels }),
  };
}
